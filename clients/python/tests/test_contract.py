"""Typed calls from the contract alone."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest

import parley

from .servers import PROJECT, Server

SPECIES = ["Adelie", "Chinstrap", "Gentoo"]


@pytest.fixture
def penguins(torgersen: dict[str, object]) -> pd.DataFrame:
    gentoo = {
        "bill_length_mm": 46.1,
        "bill_depth_mm": 13.2,
        "flipper_length_mm": 211.0,
        "body_mass_g": 4500.0,
        "island": "Biscoe",
        "sex": None,
    }
    return pd.DataFrame([torgersen, gentoo], index=["first", "second"])


def test_one_row_is_answered_by_label(client: parley.Client, torgersen: dict[str, object]) -> None:
    answer = client.penguins.identify(**torgersen)
    assert answer.species == "Adelie"
    assert list(answer.probability) == SPECIES
    assert sum(answer.probability.values()) == pytest.approx(1)
    assert answer.confidence == answer.probability["Adelie"]
    assert answer.prediction_id == answer.provenance.prediction_id
    assert answer.provenance.model == "penguins"


def test_a_row_may_be_a_dict_and_numpys_numbers(client: parley.Client, torgersen: dict[str, object]) -> None:
    row = {**torgersen, "bill_length_mm": np.float32(39.1), "body_mass_g": np.int64(3750), "sex": float("nan")}
    assert client.penguins.identify(row).species == "Adelie"
    assert client.penguins.identify(pd.Series(row)).species == "Adelie"


def test_a_contracts_file_serves_as_the_servers_own(server: Server, torgersen: dict[str, object]) -> None:
    path = PROJECT / "penguins.thrift"
    for contract in (path, str(path), path.read_text()):
        with parley.connect(server.address, contract=contract) as client:
            assert client.penguins.identify(**torgersen).species == "Adelie"


def test_a_frame_is_answered_by_a_frame(client: parley.Client, penguins: pd.DataFrame) -> None:
    answers = client.penguins.identify_many(penguins)
    probabilities = [f"probability_{species}" for species in SPECIES]
    assert list(answers.columns) == ["species", "confidence", *probabilities, "prediction_id"]
    assert list(answers.index) == ["first", "second"]
    assert list(answers["species"]) == ["Adelie", "Gentoo"]
    assert answers[probabilities].sum(axis=1).to_numpy() == pytest.approx([1, 1])
    assert answers["prediction_id"].is_unique
    assert answers.attrs["model"] == "penguins" and len(answers.attrs["versions"]) == 1


def test_columns_are_found_by_name(client: parley.Client, penguins: pd.DataFrame) -> None:
    turned = client.penguins.identify_many(penguins[penguins.columns[::-1]])
    assert list(turned["species"]) == ["Adelie", "Gentoo"]


def test_missing_values_and_categoricals(client: parley.Client, penguins: pd.DataFrame) -> None:
    plain = client.penguins.identify_many(penguins)
    for missing in (None, np.nan, pd.NA):
        typed = penguins.assign(
            sex=pd.Series(["MALE", missing], index=penguins.index, dtype="category"),
            island=penguins["island"].astype("category"),
            body_mass_g=penguins["body_mass_g"].astype("Int64"),
        )
        answers = client.penguins.identify_many(typed)
        assert answers.drop(columns="prediction_id").equals(plain.drop(columns="prediction_id"))


def test_a_missing_number_that_the_contract_refuses_names_row_and_field(
    client: parley.Client, penguins: pd.DataFrame
) -> None:
    penguins.loc["second", "bill_depth_mm"] = np.nan
    with pytest.raises(parley.InvalidInput) as caught:
        client.penguins.identify_many(penguins)
    assert [problem.path for problem in caught.value.problems] == ["penguins[1].bill_depth_mm"]
    assert caught.value.received


def test_columns_of_numpy_are_answered_by_columns(client: parley.Client, penguins: pd.DataFrame) -> None:
    columns = {name: penguins[name].to_numpy() for name in penguins.columns}
    answers = client.penguins.identify_many(columns)
    assert answers["species"].tolist() == ["Adelie", "Gentoo"]
    assert answers["confidence"].dtype == np.float64


def test_a_list_is_answered_by_a_list(client: parley.Client, torgersen: dict[str, object]) -> None:
    answers = client.penguins.identify_many([torgersen, torgersen])
    assert [answer.species for answer in answers] == ["Adelie", "Adelie"]
    assert answers[0].prediction_id != answers[1].prediction_id


def test_rows_beyond_one_call_are_sent_in_several(
    client: parley.Client, torgersen: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("parley.contract.service.ROWS_PER_CALL", 7)
    frame = pd.DataFrame([torgersen] * 20)
    assert len(client.penguins.identify_many(frame)) == 20
    frame.loc[16, "bill_length_mm"] = 4650
    with pytest.raises(parley.InvalidInput, match=r"^penguins\[16\]\.bill_length_mm must be between 20 and 80 mm"):
        client.penguins.identify_many(frame)


def test_what_the_server_refuses_comes_with_every_problem(client: parley.Client, torgersen: dict[str, object]) -> None:
    with pytest.raises(parley.InvalidInput) as caught:
        client.penguins.identify({**torgersen, "bill_length_mm": 4650, "island": "Atlantis"})
    error = caught.value
    assert [problem.path for problem in error.problems] == ["penguin.bill_length_mm", "penguin.island"]
    assert "between 20 and 80 mm" in str(error) and "Biscoe, Dream, Torgersen" in str(error)
    assert error.code == "INVALID_INPUT" and not error.retryable and error.received and error.request_id


def test_wrong_columns_are_all_told_before_anything_is_sent(client: parley.Client, penguins: pd.DataFrame) -> None:
    penguins = penguins.rename(columns={"bill_depth_mm": "bill_dept_mm"})
    penguins["body_mass_g"] = ["heavy", 4500.0]
    penguins["island"] = [1, 2]
    with pytest.raises(parley.InvalidInput) as caught:
        client.penguins.identify_many(penguins)
    told = {problem.path: str(problem) for problem in caught.value.problems}
    assert set(told) == {"bill_dept_mm", "body_mass_g", "island"}
    assert 'did you mean "bill_depth_mm"?' in told["bill_dept_mm"]
    assert "must be a number, got 'heavy' (str) in row 0" in told["body_mass_g"]
    assert "must be text, got 1 (int) in row 0 (and 1 more)" in told["island"]
    assert not caught.value.received


def test_columns_of_different_lengths_or_twice_are_refused(client: parley.Client, penguins: pd.DataFrame) -> None:
    with pytest.raises(parley.InvalidInput, match="columns of one length"):
        client.penguins.identify_many({"island": ["Dream"], "sex": ["MALE", "FEMALE"]})
    twice = pd.concat([penguins, penguins[["sex"]]], axis=1)
    with pytest.raises(parley.InvalidInput, match="sex must be there once, got 2 columns"):
        client.penguins.identify_many(twice)


def test_wrong_types_of_one_row(client: parley.Client, torgersen: dict[str, object]) -> None:
    with pytest.raises(parley.InvalidInput) as caught:
        client.penguins.identify({**torgersen, "bill_length_mm": "39,1", "bil_depth_mm": 18.7})
    assert [str(problem) for problem in caught.value.problems] == [
        "penguin.bill_length_mm must be a number, got '39,1' (str)",
        'penguin.bil_depth_mm is no field of Penguin; did you mean "bill_depth_mm"?',
    ]


def test_misuse_says_what_to_do(client: parley.Client, penguins: pd.DataFrame, torgersen: dict[str, object]) -> None:
    with pytest.raises(parley.InvalidInput, match="takes one row, got a DataFrame"):
        client.penguins.identify(penguins)
    with pytest.raises(parley.InvalidInput, match="takes rows: a DataFrame"):
        client.penguins.identify_many(**torgersen)
    with pytest.raises(parley.InvalidInput, match="there are no rows"):
        client.penguins.identify_many(penguins[:0])
    with pytest.raises(AttributeError, match='no service "penguin"; did you mean "Penguins"'):
        client.penguin  # noqa: B018
    with pytest.raises(AttributeError, match='has no method "identity"; it has identify, identify_many'):
        client.penguins.identity()


def test_methods_know_their_fields(client: parley.Client, penguins: pd.DataFrame) -> None:
    assert client.penguins.identify_many.fields == list(penguins.columns)
    assert client.penguins.identify_many.many and not client.penguins.identify.many
    assert "identify_many" in dir(client.penguins)
    wide = penguins.assign(year=2007)
    assert len(client.penguins.identify_many(wide[client.penguins.identify_many.fields])) == 2


def test_errors_travel_between_processes(client: parley.Client, torgersen: dict[str, object]) -> None:
    with pytest.raises(parley.InvalidInput) as caught:
        client.penguins.identify({**torgersen, "bill_length_mm": 4650})
    again = pickle.loads(pickle.dumps(caught.value))
    assert type(again) is parley.InvalidInput
    assert (str(again), again.problems, again.request_id) == (
        str(caught.value),
        caught.value.problems,
        caught.value.request_id,
    )

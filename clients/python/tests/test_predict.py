"""Prediction.predict: numpy in, numpy out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import parley

from .graphs import TYPES

NUMERIC = [kind for kind in TYPES if kind not in ("string", "bool")]


def arrays() -> dict[str, np.ndarray]:
    """Two rows of three for each type, extremes among them."""
    made: dict[str, np.ndarray] = {}
    for kind in NUMERIC:
        limits = np.finfo(kind) if kind.startswith("float") else np.iinfo(kind)
        made[kind] = np.array([[limits.min, limits.max, 0], [1, 2, 3]], dtype=kind)
    made["bool"] = np.array([[True, False, True], [False, False, True]])
    made["string"] = np.array([["", "Żółw", "tab\there"], ["x" * 300, "🐧", "c"]], dtype=object)
    return made


def test_every_data_type_comes_back_as_it_went(client: parley.Client) -> None:
    sent = arrays()
    answer = client.predict("same", {f"in_{kind}": array for kind, array in sent.items()})
    assert set(answer) == {f"out_{kind}" for kind in TYPES}
    for kind, array in sent.items():
        got = answer[f"out_{kind}"]
        assert got.dtype == array.dtype and got.shape == (2, 3)
        assert got.tolist() == array.tolist()
    assert answer.provenance.model == "same" and answer.prediction_id


def test_layout_does_not_matter(client: parley.Client) -> None:
    sent = {f"in_{kind}": array for kind, array in arrays().items()}
    sent["in_float64"] = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    sent["in_int32"] = np.arange(6, dtype=">i4").reshape(2, 3)
    sent["in_uint8"] = np.arange(12, dtype=np.uint8).reshape(2, 6)[:, ::2]
    sent["in_string"] = np.array([["a", "b", "c"], ["d", "e", "f"]])
    answer = client.predict("same", sent, outputs=["out_float64", "out_int32", "out_uint8", "out_string"])
    assert answer["out_float64"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert answer["out_int32"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert answer["out_uint8"].tolist() == [[0, 2, 4], [6, 8, 10]]
    assert answer["out_string"].tolist() == [["a", "b", "c"], ["d", "e", "f"]]


def test_a_single_input_needs_no_name_and_no_copy_on_the_way_back(client: parley.Client) -> None:
    sent = np.random.default_rng(7).normal(size=(1_000, 30)).astype(np.float32)
    got = client.predict("wide", sent)["out_float32"]
    assert np.array_equal(got, sent)
    assert got.base is not None and not got.flags.owndata and not got.flags.writeable


def test_lists_and_frames_become_what_the_model_takes(client: parley.Client) -> None:
    frame = pd.DataFrame(np.arange(60.0).reshape(2, 30))
    for inputs in (frame, frame.to_numpy().tolist(), {"in_float32": frame.to_numpy().tolist()}):
        got = client.predict("wide", inputs)["out_float32"]
        assert got.dtype == np.float32 and got.tolist() == frame.to_numpy().tolist()


def test_a_frame_of_named_inputs(client: parley.Client, torgersen: dict[str, object]) -> None:
    frame = pd.DataFrame([torgersen, {**torgersen, "sex": None}])
    answer = client.predict("penguins", frame, outputs=["label"])
    assert answer["label"].tolist() == ["Adelie", "Adelie"]


def test_what_the_model_does_not_take_is_refused_clearly(client: parley.Client) -> None:
    wide = np.zeros((1, 30))
    with pytest.raises(parley.InvalidInput, match=r"data_type must be FLOAT32"):
        client.predict("wide", wide)
    with pytest.raises(parley.InvalidInput, match=r"shape must be \(rows, 30\)"):
        client.predict("wide", wide[:, :29].astype(np.float32))
    with pytest.raises(parley.InvalidInput, match=r"must be one of in_float32, got x"):
        client.predict("wide", {"x": wide.astype(np.float32)})
    with pytest.raises(parley.InvalidInput, match="in_float32 must be values of float32"):
        client.predict("wide", {"in_float32": ["a"]})
    with pytest.raises(parley.InvalidInput, match="in_c must be an array of float32.*complex128"):
        client.predict("wide", {"in_c": np.zeros(3, dtype=complex)})
    with pytest.raises(parley.InvalidInput, match=r"in_s\[1\] must be text.*got 3 \(int\)"):
        client.predict("wide", {"in_s": np.array(["a", 3], dtype=object)})
    with pytest.raises(parley.InvalidInput, match="takes .*in_string.*give a dict"):
        client.predict("same", [1, 2, 3])
    with pytest.raises(parley.NotFound, match="nobody"):
        client.predict("nobody", wide)
    with pytest.raises(KeyError, match="the model answers out_float32"):
        client.predict("wide", wide.astype(np.float32))["out"]


def test_describe(client: parley.Client) -> None:
    info = client.describe("penguins")
    assert info.contract_service == "Penguins" and len(info.version) == 64
    assert info.inputs[0] == parley.TensorSpec("bill_length_mm", "float64", (-1, 1))
    assert [spec.data_type for spec in info.outputs] == ["string", "float32"]
    with pytest.raises(parley.NotFound):
        client.describe("penguins", reference="nobody")

"""Contracts of every shape, against a server that keeps what it was sent."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import parley
from parley.contract import contract_services
from parley.idl import load_text

from .raw_server import RawServer, arguments_of, reply_to

CONTRACT = """
include "parley.thrift"
typedef double Millimetres
enum Sex { UNSPECIFIED = 0, FEMALE = 1 (label = "female"), MALE = 2 (label = "male") }
union Place { 1: string name  2: i32 number }
struct Bill { 1: Millimetres length_mm  2: optional Millimetres depth_mm }
struct Row {
  1: Bill bill
  2: list<double> spectrum
  3: map<string, double> tags
  4: Sex sex
  5: Place place
  6: binary picture
  7: i16 count
  8: bool wet
  9: string note (sensitive = "true")
}
struct Answer {
  1: Sex sex (role = "label")
  2: map<Sex, double> probability (role = "probability")
  3: list<double> values
  4: i64 rank
  5: string class
  15: parley.Provenance provenance
}
service Shapes {
  Answer one(1: Row row, 2: parley.RequestContext context) throws (1: parley.ParleyError error)
  list<Answer> many(1: list<Row> rows)
} (model = "shapes")
"""


def method_of(name: str) -> Any:
    return contract_services(load_text(CONTRACT, {}))["Shapes"][name]


class Recorder:
    """Answers each row of `many`, and `one`, with the same answer."""

    def __init__(self) -> None:
        self.rows: list[Any] = []

    def __call__(self, frame: bytes) -> bytes:
        many = b"Shapes:many" in frame
        method = method_of("many" if many else "one")
        held = arguments_of(frame, method._arguments)
        self.rows = held.rows if many else [held.row]
        result, answer = method._method.result(), method._answer.wire_class()
        answer.__dict__ = {
            "sex": 2,
            "probability": {1: 0.25, 2: 0.75},
            "values": [1.0, 2.0],
            "rank": 1 << 40,
            "provenance": parley.ttypes.Provenance(prediction_id="p", model="shapes", version="v"),
        }
        setattr(answer, "class", "x")
        result.success = [answer] * len(self.rows) if many else answer
        return reply_to(frame, result)


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def shapes(recorder: Recorder) -> Any:
    import parley.ttypes

    assert parley.ttypes.Provenance is not None
    with RawServer(recorder) as server, parley.connect(server.address, contract=CONTRACT) as client:
        yield client.shapes


def plain(struct: Any) -> Any:
    """What a decoded struct holds, as dicts."""
    if isinstance(struct, list):
        return [plain(item) for item in struct]
    return {name: plain(value) for name, value in vars(struct).items()} if hasattr(struct, "thrift_spec") else struct


def test_a_row_of_every_type(shapes: Any, recorder: Recorder) -> None:
    answer = shapes.one(
        bill={"length_mm": 39, "depth_mm": None},
        spectrum=np.arange(3, dtype=np.float32),
        tags={"a": 1, "b": float("nan")},
        sex="female",
        place={"number": 7},
        picture=np.array([1, 258], dtype=">u2"),
        count=3.0,
        wet=np.bool_(True),
    )
    assert plain(recorder.rows[0]) == {
        "bill": {"length_mm": 39.0},
        "spectrum": [0.0, 1.0, 2.0],
        "tags": {"a": 1.0},
        "sex": 1,
        "place": {"number": 7},
        "picture": b"\x01\x00\x02\x01",
        "count": 3,
        "wet": True,
    }
    assert (answer.sex, answer.probability, answer.rank) == ("male", {"female": 0.25, "male": 0.75}, 1 << 40)
    assert (answer.class_, answer.prediction_id) == ("x", "p")


def test_a_frame_with_nested_columns(shapes: Any, recorder: Recorder) -> None:
    frame = pd.DataFrame(
        {
            "bill.length_mm": [39.1, np.nan],
            "bill.depth_mm": [18.7, np.nan],
            "spectrum": [[1.0], np.array([2.0])],
            "sex": pd.Categorical(["male", None]),
            "count": [1.0, np.nan],
            "wet": [True, False],
            "place.name": ["Dream", None],
        }
    )
    answers = shapes.many(frame)
    assert plain(recorder.rows) == [
        {
            "bill": {"length_mm": 39.1, "depth_mm": 18.7},
            "spectrum": [1.0],
            "sex": 2,
            "count": 1,
            "wet": True,
            "place": {"name": "Dream"},
        },
        {"spectrum": [2.0], "wet": False},
    ]
    assert list(answers.columns) == [
        *("sex", "probability_female", "probability_male"),
        *("values", "rank", "class", "prediction_id"),
    ]
    assert answers["values"][0] == [1.0, 2.0]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({"count": 40_000}, "row.count must be a whole number of 16 bits, got 40000 (int)"),
        ({"count": 1.5}, "row.count must be a whole number of 16 bits, got 1.5 (float)"),
        ({"count": float("inf")}, "row.count must be a whole number of 16 bits, got inf (float)"),
        ({"sex": "Male"}, "row.sex must be one of female, male, got 'Male' (str)"),
        ({"wet": 1}, "row.wet must be True or False, got 1 (int)"),
        ({"spectrum": [1.0, "x"]}, "row.spectrum[1] must be a number, got 'x' (str)"),
        ({"spectrum": 1.0}, "row.spectrum must be a list, got 1.0 (float)"),
        ({"bill": 39.1}, "row.bill must be a Bill: a mapping of length_mm, depth_mm, got 39.1 (float)"),
        ({"bill": {"length": 39.1}}, 'row.bill.length is no field of Bill; did you mean "length_mm"?'),
        ({"picture": "x"}, "row.picture must be bytes or an array of numbers, got 'x' (str)"),
        ({"note": 12345}, "row.note must be text, got a value that is not shown"),
        ({"note": "\ud800"}, "row.note must be text that UTF-8 can write, without lone surrogates"),
    ],
)
def test_what_does_not_fit_is_told_with_its_path(shapes: Any, row: dict[str, Any], problem: str) -> None:
    with pytest.raises(parley.InvalidInput) as caught:
        shapes.one(row)
    assert str(caught.value).startswith(problem)


def test_a_union_has_one_member(shapes: Any) -> None:
    with pytest.raises(parley.InvalidInput, match="row.place must have one of name, number only"):
        shapes.one(place={"name": "Dream", "number": 7})


def test_a_number_that_the_contract_does_not_know_stays_one() -> None:
    kind = method_of("one")._answer.members["sex"].kind
    assert [kind.from_wire(number) for number in (2, 9)] == ["male", 9]

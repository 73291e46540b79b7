"""Rows from columns, and columns from answers: DataFrames and dicts of numpy arrays.

Bulk calls go through here: values are converted column by column, and where a column's own type says that all fit,
not one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from parley._gen.ttypes import Provenance
from parley.contract.kinds import Double, EnumKind, MapKind, Opaque, Problems, Text, is_missing, nearest
from parley.contract.structs import Member, StructKind
from parley.errors import Problem, invalid_input


def is_frame(value: Any) -> bool:
    """Whether it is a pandas DataFrame, without importing pandas."""
    kind = type(value)
    return kind.__module__.partition(".")[0] == "pandas" and hasattr(value, "columns") and hasattr(value, "iloc")


def is_columns(value: Any) -> bool:
    """Whether it is a mapping from names to columns."""
    return isinstance(value, Mapping)


def rows_of(columns: Any, row: StructKind) -> list[Any]:
    """Instances of the row's wire class, one for each row of a DataFrame or of a mapping of columns.

    Columns are found by name, nested fields as "bill.length_mm"; a field without a column is missing in all rows.

    Raises:
        InvalidInput: with a problem for each column that is unknown or has values that do not fit.
    """
    problems: Problems = []
    leaves = leaf_members(row)
    found: list[tuple[str, list[Any]]] = []
    names = list(columns.keys())
    for name in dict.fromkeys(names):
        member = leaves.get(name)
        if member is None:
            message = f"is no field of {row.name}{nearest(str(name), leaves)}; its fields are {', '.join(leaves)}"
            problems.append(Problem(str(name), message))
        elif names.count(name) > 1:
            problems.append(Problem(name, "must be there once", f"{names.count(name)} columns"))
        else:
            found.append((name, _values(columns[name], member, name, problems)))
    lengths = {name: len(values) for name, values in found}
    if len(set(lengths.values())) > 1:
        problems.append(Problem(row.name, "must have columns of one length", str(lengths)))
    if problems:
        raise invalid_input(problems)
    count = next(iter(lengths.values()), len(columns) if is_frame(columns) else 0)
    return _assembled(row, found, count)


def leaf_members(struct: StructKind, prefix: str = "") -> dict[str, Member]:
    """A row's fields that have values, by their dotted names."""
    leaves: dict[str, Member] = {}
    for member in struct.members.values():
        if isinstance(member.kind, StructKind):
            leaves.update(leaf_members(member.kind, f"{prefix}{member.name}."))
        else:
            leaves[prefix + member.name] = member
    return leaves


def _values(column: Any, member: Member, name: str, problems: Problems) -> list[Any]:
    """A column's values for the encoder, None where one is missing."""
    data_type: Any = getattr(column, "dtype", None)
    if hasattr(column, "cat") and hasattr(data_type, "categories"):
        categories = _checked(list(data_type.categories), member, name, problems)
        categories.append(None)  # the code of a missing value is -1
        return [categories[code] for code in column.cat.codes]
    values: list[Any] = column.tolist() if hasattr(column, "tolist") else list(column)
    kind = getattr(data_type, "kind", "O")
    if isinstance(member.kind, Double) and kind in "iu" and not _is_nullable(data_type):
        return values
    if isinstance(member.kind, Double) and kind == "f" and not _is_nullable(data_type):
        return [None if value != value else value for value in values]
    return _checked(values, member, name, problems)


def _is_nullable(data_type: Any) -> bool:
    """pandas' own types, whose missing value is no NaN."""
    return hasattr(data_type, "na_value")


def _checked(values: list[Any], member: Member, name: str, problems: Problems) -> list[Any]:
    """Each value by its kind; the first that does not fit stands for its column, with how many there are."""
    if isinstance(member.kind, Text) and all(type(value) is str for value in values):
        return values
    inner: Problems = []
    wrong: int | None = None
    count = 0
    made = []
    for index, value in enumerate(values):
        before = len(inner)
        made.append(None if is_missing(value) else member.to_wire(value, name, inner))
        if len(inner) > before:
            count += 1
            wrong = index if wrong is None else wrong
            del inner[1:]
    if wrong is not None:
        others = f" (and {count - 1} more)" if count > 1 else ""
        problems.append(Problem(inner[0].path, inner[0].message, f"{inner[0].got} in row {wrong}{others}"))
    return made


def _assembled(row: StructKind, columns: Sequence[tuple[str, list[Any]]], count: int) -> list[Any]:
    flat = [(name, values) for name, values in columns if "." not in name]
    make, names = row.wire_class, [name for name, _ in flat]
    if not flat:
        rows = [make() for _ in range(count)]
    else:
        rows = []
        for held in zip(*[values for _, values in flat]):
            one = make()
            one.__dict__ = dict(zip(names, held))
            rows.append(one)
    for name, values in columns:
        if "." in name:
            _nest(row, rows, name.split("."), values)
    return rows


def _nest(row: StructKind, rows: list[Any], path: list[str], values: list[Any]) -> None:
    """Puts a column of nested fields in its place; structs of which nothing is there are left out."""
    steps: list[tuple[str, StructKind]] = []
    kind = row
    for name in path[:-1]:
        inner = kind.members[name].kind
        assert isinstance(inner, StructKind)
        steps.append((name, inner))
        kind = inner
    for one, value in zip(rows, values):
        if value is None:
            continue
        for name, struct in steps:
            held = one.__dict__
            if name not in held:
                held[name] = struct.wire_class()
            one = held[name]
        one.__dict__[path[-1]] = value


def columns_of(answers: Sequence[Any], struct: StructKind) -> dict[str, list[Any]]:
    """Answers of a bulk call as columns: label, confidence, a column for each class's probability, prediction_id.

    Args:
        answers: as decoded, instances of the struct's wire class.
    """
    made: dict[str, list[Any]] = {}
    for name, member in struct.members.items():
        held = [getattr(answer, name) for answer in answers]
        if isinstance(member.kind, Opaque):
            if member.kind.generated is Provenance:
                made["prediction_id"] = [None if value is None else value.prediction_id for value in held]
        elif isinstance(member.kind, MapKind):
            made.update(_map_columns(name, held, member.kind))
        elif isinstance(member.kind, EnumKind):
            labels = member.kind.labels
            made[name] = [labels.get(value, value) for value in held]
        elif isinstance(member.kind, (Double, Text)):
            made[name] = held
        else:
            made[name] = [None if value is None else member.kind.from_wire(value) for value in held]
    return made


def _map_columns(name: str, held: Sequence[Mapping[Any, Any] | None], kind: MapKind) -> dict[str, list[Any]]:
    """One column for each key that any answer has, in the enum's order or that of their appearance."""
    seen = {key: None for value in held if value is not None for key in value}
    keys: Iterable[Any] = seen
    if isinstance(kind.key, EnumKind):
        keys = [key for key in kind.key.labels if key in seen] + [key for key in seen if key not in kind.key.labels]
    return {
        f"{name}_{kind.key.from_wire(key)}": [None if value is None else value.get(key) for value in held]
        for key in keys
    }


def versions_of(answers: Sequence[Any], struct: StructKind) -> tuple[str | None, list[str]]:
    """The model and the versions that answered, in order of appearance: more than one while it was being replaced."""
    model: str | None = None
    versions: dict[str | None, None] = {}
    for name, member in struct.members.items():
        if not isinstance(member.kind, Opaque):
            continue
        for answer in answers:
            source = getattr(answer, name)
            if isinstance(source, Provenance):
                model = source.model or model
                versions[source.version] = None
    return model, [version for version in versions if version is not None]


def frame_like(frame: Any, columns: Mapping[str, list[Any]]) -> Any:
    """A DataFrame of these columns with the index of another one."""
    import pandas

    return pandas.DataFrame(dict(columns), index=frame.index)


def arrays_like(columns: Mapping[str, list[Any]]) -> dict[str, Any]:
    """The columns as numpy arrays: float64 for numbers, objects for everything else; a missing number is NaN."""
    import numpy

    made = {}
    for name, values in columns.items():
        is_number = all(value is None or type(value) is float for value in values)
        made[name] = numpy.array(values, dtype=float if is_number and values else object)
    return made

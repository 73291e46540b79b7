"""The reader of Thrift files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import parley
from parley.contract import contract_services
from parley.idl import load_file, load_text

from .servers import PROJECT, ROOT


def test_it_reads_parleys_own_file() -> None:
    program = load_file(ROOT / "idl" / "parley.thrift")
    text = (ROOT / "idl" / "parley.thrift").read_text()
    assert set(program.services()) == set(re.findall(r"^service (\w+)", text, re.M))
    structs = re.findall(r"^(?:struct|exception) (\w+)", text, re.M)
    assert set(structs) <= set(program.main.definitions)
    (data_type,) = (each for name, each in program.main.definitions.items() if name == "DataType")
    assert [(m.name, m.value) for m in data_type.members][-1] == ("STRING", 13)


def test_annotations_are_kept() -> None:
    definitions = load_file(PROJECT / "penguins.thrift").main.definitions
    assert definitions["Species"].members[1].label == "Adelie"
    assert definitions["Penguin"].fields[5].annotations == {"values": "MALE,FEMALE", "missing": "allowed"}
    assert definitions["Penguins"].annotations["accept.recall"] == ">= 0.95"


def test_everything_that_thrift_has() -> None:
    program = load_text(
        """
        /* all of it */ # at once
        namespace * all ; namespace py.twisted "all"
        cpp_include <vector>
        const map<string, list<i32>> C = {"a": [1, 2,], 'b': [0x1F]}; const double D = -1.5e3
        typedef map<i8 (x = "y"), set<string>> M (a)
        enum E { A, B = 5; C (label = 'it\\'s') }
        exception X { 1: string why; }
        struct S { required bool a = true, 2: optional E e = E.B (k); list<list<M>> deep }
        service P { oneway void fire(1: S s) , void nothing() }
        service Q extends P { i64 ask(S s) throws (1: X x) }
        """.replace("cpp_include <vector>", 'cpp_include "vector"'),
        {},
    )
    held = program.main.definitions
    assert held["C"].value == {"a": [1, 2], "b": [31]} and held["D"].value == -1500.0
    assert [(m.value, m.label) for m in held["E"].members] == [(0, "A"), (5, "B"), (6, "it's")]
    assert [(f.id, f.name) for f in held["S"].fields] == [(-1, "a"), (2, "e"), (-3, "deep")]
    assert held["Q"].extends == "P" and held["P"].functions[0].oneway


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("struct S {\n  1: }", 'contract.thrift:2:6 must be a name, got "}"'),
        ("struct S { 1: double x 1: double y }", "contract.thrift:1:24 must have an id and a name of its own"),
        ("struct S {", 'must be a name, got "the end of the file"'),
        ("enum E { A = x }", 'contract.thrift:1:14 must be a whole number, got "x"'),
        ("struct A {} struct A {}", "is defined twice, got A"),
        ("§", "contract.thrift:1:1 is not Thrift here"),
        ("typedef " + "list<" * 40 + "i32" + ">" * 40 + " L", "is nested deeper than 32"),
        ("const list<i32> C = " + "[" * 4000, "is nested deeper than 32"),
        ('include "other.thrift"', 'contract.thrift includes "other.thrift", whose text is missing'),
        ('struct S { 1: string s (values = "a" }', "must be a name"),
    ],
)
def test_what_is_no_thrift_is_told_with_its_place(text: str, said: str) -> None:
    with pytest.raises(parley.InvalidInput) as caught:
        load_text(text, {})
    assert said in str(caught.value)


SERVICE = "service T { R ask(1: S s) } struct R { 1: double value } "


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        (SERVICE + "struct S { 1: Nobody x }", parley.InvalidInput, 'has no type "Nobody"'),
        (SERVICE + "struct S { 1: S again }", parley.InvalidInput, "types that contain themselves"),
        (SERVICE + "typedef B A typedef A B struct S { 1: A a }", parley.InvalidInput, "types that contain themselves"),
        ("service T { double ask(1: i32 x) }", parley.Unsupported, "must take one struct or one list of structs"),
        (SERVICE + "struct S { 40000: i32 x }", parley.InvalidInput, "has the id 40000"),
        ("service T extends U {}", parley.NotFound, 'extends "U", which there is not'),
        ("service T extends T {}", parley.InvalidInput, "that has no end"),
    ],
)
def test_what_cannot_be_called_is_refused(text: str, kind: type[Exception], said: str) -> None:
    with pytest.raises(kind) as caught:
        contract_services(load_text(text, {}))
    assert said in str(caught.value)


def test_includes_are_found_beside_the_file_and_circles_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.thrift").write_text('include "b.thrift"\nservice T { b.R ask(1: b.S s) }')
    (tmp_path / "b.thrift").write_text("struct S { 1: double x } struct R { 1: double y }")
    program = load_file(tmp_path / "a.thrift")
    assert contract_services(program)["T"]["ask"].fields == ["x"]
    assert set(program.includes) == {"b.thrift"}
    (tmp_path / "b.thrift").write_text('include "a.thrift"')
    with pytest.raises(parley.InvalidInput, match="that has no end"):
        load_file(tmp_path / "a.thrift")


def test_inherited_methods_are_methods() -> None:
    base = "struct S { 1: double x } struct R { 1: double y } service B { R ask(1: S s) }"
    program = load_text('include "base.thrift" service T extends base.B { }', {"base.thrift": base})
    assert list(contract_services(program)["T"]) == ["ask"]

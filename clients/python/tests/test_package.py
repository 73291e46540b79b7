"""What is in the package."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from importlib.metadata import entry_points, requires
from pathlib import Path

import parley
from parley._wire import accelerated
from parley.errors import BY_NUMBER

from .servers import ROOT

PACKAGE = Path(parley.__file__).parent


def test_it_is_typed_and_needs_only_thrift() -> None:
    assert (PACKAGE / "py.typed").exists()
    needed = [each for each in requires("parley") or () if "extra ==" not in each]
    assert needed == ["thrift==0.24.*"]


def test_what_is_tested_is_what_was_installed() -> None:
    folder = os.environ.get("PARLEY_INSTALLED")
    assert folder is None or Path(folder).resolve() in PACKAGE.resolve().parents


def test_it_comes_without_numpy_and_pandas_until_they_are_used() -> None:
    code = "import parley, sys; print(sorted({'numpy', 'pandas', 'pytest'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_error_code_has_its_class() -> None:
    from parley.ttypes import ErrorCode

    codes = {number: name for number, name in ErrorCode._VALUES_TO_NAMES.items() if number != 0}
    assert {number: kind.code for number, kind in BY_NUMBER.items()} == codes
    table = (ROOT / "docs" / "errors.md").read_text()
    for kind in BY_NUMBER.values():
        number = next(number for number, each in BY_NUMBER.items() if each is kind)
        assert f"| `{kind.code}` | {number} | {'yes' if kind.retryable else 'no'} |" in table


def test_everything_public_says_what_it_is() -> None:
    bare = []
    for file in [each for each in PACKAGE.rglob("*.py") if "_gen" not in each.parts]:
        tree = ast.parse(file.read_text(encoding="utf-8"))
        public = [node for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and is_public(node)]
        bare += [f"{file.name}: {getattr(node, 'name', '')}" for node in [tree, *public] if not ast.get_docstring(node)]
    assert bare == []


def is_public(node: ast.FunctionDef | ast.ClassDef) -> bool:
    """Neither private, nor a hook that pytest describes, nor one of several signatures of what follows."""
    return not node.name.startswith(("_", "pytest_")) and "overload" not in [
        getattr(each, "id", "") for each in node.decorator_list
    ]


def test_thrifts_c_extension_was_built() -> None:
    assert accelerated()


def test_the_pytest_plug_in_is_announced() -> None:
    found = entry_points()
    group = found.select(group="pytest11") if hasattr(found, "select") else found["pytest11"]
    assert [each.value for each in group if each.name == "parley"] == ["parley.pytest_plugin"]

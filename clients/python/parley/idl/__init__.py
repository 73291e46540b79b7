"""Thrift's interface language, annotations kept: what is needed to make calls from a contract's text alone."""

from parley.idl.program import Program, load_file, load_text
from parley.idl.syntax import Document

__all__ = ["Document", "Program", "load_file", "load_text"]

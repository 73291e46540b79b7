"""A contract's service: `client.penguins.identify(bill_length_mm=39.1, …)`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from parley._channel import NO_OPTIONS, CallOptions, Channel, Method
from parley._gen import ttypes
from parley._misfits import shortened
from parley.contract.columns import (
    arrays_like,
    columns_of,
    frame_like,
    is_columns,
    is_frame,
    leaf_members,
    rows_of,
    versions_of,
)
from parley.contract.kinds import ListKind, Opaque, Problems
from parley.contract.structs import Kinds, StructKind, wire_class
from parley.errors import InvalidInput, NotFound, Problem, Unsupported, invalid_input
from parley.idl import Document, Program
from parley.idl.syntax import Field, Function, Service

ROWS_PER_CALL = 10_000


class ContractMethod:
    """One method: call it with a row's fields, or with rows.

    Attributes:
        name: as the contract has it.
        many: whether it takes and answers many rows.
        fields: the names of a row's fields, nested ones dotted.
    """

    def __init__(self, service: str, function: Function, kinds: Kinds, home: Document) -> None:
        self.name = function.name
        self._service = service
        arguments = [(field, kinds.of(field.type, home)) for field in function.arguments]
        self._context = _only([field for field, kind in arguments if _is(kind, ttypes.RequestContext)])
        self._argument, self.many, self._row = _row_argument(
            service, function, [(field, kind) for field, kind in arguments if field is not self._context]
        )
        if function.result is None:
            raise Unsupported(f"{service}.{function.name} answers nothing")
        success = kinds.of(function.result, home)
        self._answer = success.item if isinstance(success, ListKind) else success
        if self.many != isinstance(success, ListKind):
            raise Unsupported(f"{service}.{function.name} must answer a list exactly if it takes one")
        throws = [(field.id, field.name, kinds.of(field.type, home)) for field in function.throws]
        self._arguments = wire_class(f"{self.name}_args", [(f.id, f.name, kind) for f, kind in arguments])
        result = wire_class(f"{self.name}_result", [(0, "success", success), *throws])
        self._method = Method(f"{service}:{self.name}".encode(), result, True, self._context is not None)
        self.fields = list(leaf_members(self._row))

    def call(self, channel: Channel, options: CallOptions, given: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """Makes the call; see ContractService."""
        if not self.many:
            return self._one(channel, options, given, named)
        if named or len(given) != 1:
            raise InvalidInput(f"{self} takes rows: a DataFrame, a dict of columns, or a list of dicts")
        return self._bulk(channel, options, given[0])

    def _one(self, channel: Channel, options: CallOptions, given: tuple[Any, ...], named: dict[str, Any]) -> Any:
        if len(given) > 1 or (given and named):
            raise InvalidInput(f"{self} takes one row: its fields by name, or one dict of them")
        row = given[0] if given else named
        if is_frame(row):
            raise InvalidInput(f"{self} takes one row, got a DataFrame; a method that takes a list answers many")
        if hasattr(row, "to_dict"):
            row = row.to_dict()
        problems: Problems = []
        wire = self._row.to_wire(row, self._argument.name, problems)
        if problems:
            raise invalid_input(problems)
        answer = self._send(channel, options, wire)
        return self._answer.from_wire(answer)

    def _bulk(self, channel: Channel, options: CallOptions, rows: Any) -> Any:
        as_columns = is_frame(rows) or is_columns(rows)
        wire = rows_of(rows, self._row) if as_columns else self._rows_of_list(rows)
        if not wire:
            raise InvalidInput(f"{self}: there are no rows; send at least one")
        answers: list[Any] = []
        for first in range(0, len(wire), ROWS_PER_CALL):
            try:
                answers += self._send(channel, options, wire[first : first + ROWS_PER_CALL])
            except InvalidInput as error:
                raise _moved(error, self._argument.name, first) from error.__cause__
        if not isinstance(self._answer, StructKind):
            return [self._answer.from_wire(answer) for answer in answers]
        if not as_columns:
            return [self._answer.from_wire(answer) for answer in answers]
        columns = columns_of(answers, self._answer)
        if not is_frame(rows):
            return arrays_like(columns)
        frame = frame_like(rows, columns)
        frame.attrs["model"], frame.attrs["versions"] = versions_of(answers, self._answer)
        return frame

    def _rows_of_list(self, rows: Any) -> list[Any]:
        if isinstance(rows, (str, bytes)) or not isinstance(rows, Iterable):
            raise InvalidInput(
                f"{self} takes rows: a DataFrame, a dict of columns, or a list of dicts, got {shortened(rows)}"
            )
        problems: Problems = []
        name = self._argument.name
        wire = [self._row.to_wire(row, f"{name}[{index}]", problems) for index, row in enumerate(rows)]
        if problems:
            raise invalid_input(problems)
        return wire

    def _send(self, channel: Channel, options: CallOptions, wire: Any) -> Any:
        def arguments(context: dict[str, Any]) -> Any:
            made = self._arguments()
            made.__dict__[self._argument.name] = wire
            if self._context is not None:
                made.__dict__[self._context.name] = ttypes.RequestContext(**context)
            return made

        return channel.call(self._method, arguments, options)

    def __str__(self) -> str:
        return f"{self._service}.{self.name}"

    def __repr__(self) -> str:
        rows = "rows of " if self.many else ""
        return f"<{self} takes {rows}{', '.join(self.fields)}>"


class BoundMethod:
    """A method of a client's service. See ContractMethod for its attributes."""

    def __init__(self, method: ContractMethod, channel: Channel, options: CallOptions) -> None:
        self._method = method
        self._channel = channel
        self._options = options
        self.__doc__ = repr(method)

    def __call__(self, *given: Any, **named: Any) -> Any:
        """One row by its fields or as a dict; many as a DataFrame, a dict of columns or a list of dicts."""
        return self._method.call(self._channel, self._options, given, named)

    @property
    def fields(self) -> list[str]:
        """The names of a row's fields; `frame[method.fields]` has no other columns."""
        return list(self._method.fields)

    @property
    def many(self) -> bool:
        """Whether it takes many rows."""
        return self._method.many

    def __repr__(self) -> str:
        return repr(self._method)


class ContractService:
    """The methods of one service of a contract, as attributes."""

    def __init__(
        self, name: str, methods: dict[str, ContractMethod], channel: Channel, options: CallOptions = NO_OPTIONS
    ) -> None:
        self._name = name
        self._methods = methods
        self._channel = channel
        self._options = options

    def with_options(self, **options: Any) -> ContractService:
        """The same service, its calls with timeout_ms, request_id or trace of their own (CallOptions)."""
        return ContractService(self._name, self._methods, self._channel, self._options.with_(**options))

    def __getattr__(self, name: str) -> BoundMethod:
        methods = self.__dict__.get("_methods", {})
        if name not in methods:
            raise AttributeError(
                f'the service {self.__dict__.get("_name")} has no method "{name}"; it has {", ".join(methods)}'
            )
        return BoundMethod(methods[name], self._channel, self._options)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._methods]

    def __repr__(self) -> str:
        return f"<service {self._name}: {', '.join(self._methods)}>"


def contract_services(program: Program) -> dict[str, dict[str, ContractMethod]]:
    """The methods of each of a contract's services.

    Raises:
        InvalidInput: the contract names types that there are not.
        Unsupported: a method is neither of one row nor of many.
    """
    kinds = Kinds(program)
    return {
        service.name: {
            function.name: ContractMethod(service.name, function, kinds, home)
            for function, home in _functions(program, service, document)
        }
        for service, document in program.services().values()
    }


def attribute_name(service: str) -> str:
    """`Penguins` is `client.penguins`, `CreditRisk` is `client.credit_risk`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", service).lower()


def _functions(
    program: Program, service: Service, document: Document, below: tuple[str, ...] = ()
) -> Iterator[tuple[Function, Document]]:
    """Its own and those of the services that it extends."""
    if service.name in below:
        raise InvalidInput(f"{' extends '.join((*below, service.name))}: that has no end")
    if service.extends is not None:
        found = program.resolve(service.extends, document)
        if found is None or not isinstance(found[0], Service):
            raise NotFound(f'{document.file}: {service.name} extends "{service.extends}", which there is not')
        yield from _functions(program, found[0], found[1], (*below, service.name))
    for function in service.functions:
        yield function, document


def _row_argument(
    service: str, function: Function, arguments: list[tuple[Field, Any]]
) -> tuple[Field, bool, StructKind]:
    if len(arguments) == 1:
        field, kind = arguments[0]
        if isinstance(kind, StructKind):
            return field, False, kind
        if isinstance(kind, ListKind) and isinstance(kind.item, StructKind):
            return field, True, kind.item
    raise Unsupported(f"{service}.{function.name} must take one struct or one list of structs, beside its context")


def _moved(error: InvalidInput, argument: str, first: int) -> InvalidInput:
    """The error with the rows' numbers of the whole call, of which a part was sent."""
    if first == 0 or not error.problems:
        return error
    pattern = re.compile(rf"^({re.escape(argument)}\[)(\d+)\]")

    def moved(path: str) -> str:
        return pattern.sub(lambda match: f"{match.group(1)}{int(match.group(2)) + first}]", path)

    made = invalid_input([Problem(moved(p.path), p.message, p.got) for p in error.problems])
    made.request_id, made.received = error.request_id, error.received
    return made


def _is(kind: Any, generated: Any) -> bool:
    return isinstance(kind, Opaque) and kind.generated is generated


def _only(found: list[Field]) -> Field | None:
    return found[0] if found else None

"""Calls through a service's generated module: its structs go in and come out, context and errors are taken care of."""

from __future__ import annotations

import copy
import sys
from typing import Any, Callable

from thrift.Thrift import TType

from parley._channel import NO_OPTIONS, CallOptions, Channel, Method

# Of parley.thrift's own services, the methods that change nothing or can be repeated; typed services predict.
_GENERIC_SERVICES = {"Prediction", "Training", "Registry", "Feedback", "Operations"}
_IDEMPOTENT = {
    "predict",
    "describe",
    "get_run",
    "watch_run",
    "list_runs",
    "list_versions",
    "aliases",
    "history",
    "live_metrics",
    "record_labels",
    "ping",
    "contract",
}


class StubMethod:
    """One method, from the structs that the compiler made for its arguments and its result."""

    def __init__(self, service: str, name: str, arguments: Any, result: Any) -> None:
        self.name = name
        self._arguments = arguments
        self._fields = [spec for spec in arguments.thrift_spec or () if spec is not None]
        self._context = next((spec for spec in self._fields if _is_context(spec)), None)
        self._request = next((spec for spec in self._fields if self._context is None and _has_context(spec)), None)
        has_context = self._context is not None or self._request is not None
        idempotent = service not in _GENERIC_SERVICES or name in _IDEMPOTENT
        self._method = Method(f"{service}:{name}".encode(), result, idempotent, has_context)

    def call(self, channel: Channel, options: CallOptions, given: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """Makes the call with arguments as the method declares them; the context may be left out.

        Raises:
            TypeError: arguments that the method does not have.
            ParleyError: see Channel.call.
        """
        values = self._bound(given, named)
        context = self._given_context(values)
        limit = getattr(context, "timeout_ms", None)
        if limit is not None and (options.timeout_ms is None or limit < options.timeout_ms):
            options = options.with_(timeout_ms=limit)
        request_id = getattr(context, "request_id", None)
        if request_id is not None:
            options = options.with_(request_id=request_id)

        def arguments(filled: dict[str, Any]) -> Any:
            return self._arguments(**self._with_context(values, context, filled))

        return channel.call(self._method, arguments, options)

    def _bound(self, given: tuple[Any, ...], named: dict[str, Any]) -> dict[str, Any]:
        names = [spec[2] for spec in self._fields]
        if len(given) > len(names):
            raise TypeError(f"{self.name}() takes {', '.join(names)}; {len(given)} arguments were given")
        values = dict(zip(names, given))
        for name, value in named.items():
            if name not in names or name in values:
                raise TypeError(f"{self.name}() takes {', '.join(names)}, each once; {name!r} was given")
            values[name] = value
        return values

    def _given_context(self, values: dict[str, Any]) -> Any:
        if self._context is not None:
            return values.get(self._context[2])
        return None if self._request is None else getattr(values.get(self._request[2]), "context", None)

    def _with_context(self, values: dict[str, Any], given: Any, filled: dict[str, Any]) -> dict[str, Any]:
        """The arguments with a context that has what the caller's has, and else what the client fills in."""
        if self._context is not None:
            return {**values, self._context[2]: _merged(self._context[3][0], given, filled)}
        if self._request is None:
            return values
        name, (request_class, spec) = self._request[2], self._request[3][:2]
        held = values.get(name)
        request = request_class() if held is None else copy.copy(held)
        context_class = next(field[3][0] for field in spec if field is not None and _is_context(field))
        request.context = _merged(context_class, given, filled)
        return {**values, name: request}


class BoundStubMethod:
    """A method of a client's stub."""

    def __init__(self, method: StubMethod, channel: Channel, options: CallOptions) -> None:
        self._method = method
        self._channel = channel
        self._options = options

    def __call__(self, *given: Any, **named: Any) -> Any:
        """Arguments as the contract declares them; the RequestContext may be left out."""
        return self._method.call(self._channel, self._options, given, named)


class Stub:
    """A service's methods, called plainly. Closing it closes the client that it was made with."""

    def __init__(
        self,
        methods: dict[str, StubMethod],
        channel: Channel,
        close: Callable[[], None],
        options: CallOptions = NO_OPTIONS,
    ) -> None:
        self._methods = methods
        self._channel = channel
        self._close = close
        self._options = options

    def with_options(self, **options: Any) -> Stub:
        """The same service, its calls with timeout_ms, request_id, trace or idempotent of their own (CallOptions)."""
        return Stub(self._methods, self._channel, self._close, self._options.with_(**options))

    def __getattr__(self, name: str) -> BoundStubMethod:
        methods = self.__dict__.get("_methods", {})
        if name not in methods:
            raise AttributeError(f'the service has no method "{name}"; it has {", ".join(methods)}')
        return BoundStubMethod(methods[name], self._channel, self._options)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._methods]

    def close(self) -> None:
        """Ends all connections; pending calls fail with ClientClosed."""
        self._close()

    def __enter__(self) -> Stub:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def stub_methods(module: Any, service: str | None = None) -> dict[str, StubMethod]:
    """The methods of a service's generated module, inherited ones too.

    Args:
        module: such as `penguins.Penguins`, which the Thrift compiler made.
        service: its name in the contract; the module's own when None.

    Raises:
        TypeError: it is no such module.
    """
    interface = getattr(module, "Iface", None)
    if interface is None:
        name = getattr(module, "__name__", module)
        raise TypeError(f"{name} is no service's generated module: import it, as in `from penguins import Penguins`")
    service = service or module.__name__.rpartition(".")[2]
    methods: dict[str, StubMethod] = {}
    for base in reversed(interface.__mro__[:-1]):
        home = sys.modules[base.__module__]
        for name in vars(base):
            arguments = getattr(home, f"{name}_args", None)
            result = getattr(home, f"{name}_result", None)
            if arguments is not None and result is not None:
                methods[name] = StubMethod(service, name, arguments, result)
    return methods


def _is_context(spec: Any) -> bool:
    return spec[1] == TType.STRUCT and spec[3][0].__name__ == "RequestContext"


def _has_context(spec: Any) -> bool:
    if spec[1] != TType.STRUCT:
        return False
    return any(field is not None and field[2] == "context" and _is_context(field) for field in spec[3][1] or ())


def _merged(context_class: Any, given: Any, filled: dict[str, Any]) -> Any:
    made = context_class() if given is None else copy.copy(given)
    for name, value in filled.items():
        if name == "timeout_ms" or getattr(made, name, None) is None:
            setattr(made, name, value)
    return made

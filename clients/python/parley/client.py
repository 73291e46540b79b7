"""The client: one server, a pool of connections, every way of asking."""

from __future__ import annotations

import os
import ssl
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, overload

from parley._address import PathLike, parse_address, tls_context
from parley._channel import CallOptions, Channel, Method, exchange
from parley._connection import Connection
from parley._gen import Operations
from parley._gen.ttypes import ContractRequest, PingRequest, PingResponse, RequestContext
from parley._predict import ModelInfo, Prediction, Predictor
from parley._stub import Stub, stub_methods
from parley.contract import ContractMethod, ContractService, contract_services
from parley.contract.kinds import nearest
from parley.contract.service import attribute_name
from parley.errors import ContractMismatch, NotFound, Problem, Unsupported
from parley.idl import Program, load_file, load_text

DEFAULT_TIMEOUT_MS = 30_000
MOST_FRAME_BYTES = 256 << 20

_CONTRACT = Method(b"Operations:contract", Operations.contract_result, True, True)
_PING = Method(b"Operations:ping", Operations.ping_result, True, True)


class Client:
    """Asks one server. Thread-safe; connections are made when they are needed, and again after they were lost.

    Typed services are attributes: `client.penguins.identify(…)` for the service Penguins. Where no contract was given,
    the server is asked for it. `service()` finds one whose name is a method's here.
    """

    def __init__(
        self,
        address: str,
        *,
        contract: PathLike | None = None,
        negotiate: bool = False,
        token: str | None = None,
        tls: bool | ssl.SSLContext | None = None,
        ca: PathLike | None = None,
        cert: PathLike | None = None,
        key: PathLike | None = None,
        timeout_ms: float = DEFAULT_TIMEOUT_MS,
        pool_size: int = 8,
        retries: bool = True,
        max_frame_bytes: int = MOST_FRAME_BYTES,
    ) -> None:
        """See connect()."""
        if pool_size < 1 or timeout_ms <= 0 or max_frame_bytes < 1:
            raise ValueError("pool_size, timeout_ms and max_frame_bytes must be above 0")
        self._program = None if contract is None else _contract(contract)
        self._negotiates = negotiate
        if negotiate and self._program is None:
            raise ValueError("negotiate=True compares the caller's contract with the server's: give it as contract=")
        self._token = token or os.environ.get("PARLEY_TOKEN") or None
        self._services: dict[str, tuple[str, dict[str, ContractMethod]]] = {}
        if self._program is not None:
            self._learn(self._program)
        self._learning = threading.Lock()
        self._channel = Channel(
            parse_address(address, tls_context(tls, ca, cert, key)),
            token=self._token,
            pool_size=pool_size,
            timeout_ms=timeout_ms,
            retries=retries,
            most_frame_bytes=max_frame_bytes,
            on_open=self._agree if negotiate else None,
        )
        self._predictor = Predictor(self._channel)
        if negotiate:
            try:
                self.ping()
            except BaseException:
                self.close()
                raise

    # ------------------------------------------------------------- any model

    def predict(
        self,
        model: str,
        inputs: Any,
        *,
        reference: str | None = None,
        routing_key: str | None = None,
        outputs: Sequence[str] | None = None,
        timeout_ms: float | None = None,
        request_id: str | None = None,
    ) -> Prediction:
        """Asks a model by its tensors. Needs numpy.

        Args:
            model: its name.
            inputs: an array for a model with one input; a dict of arrays by input; a DataFrame. Arrays are sent in the
                type that they have; lists and DataFrames are made what the model takes, for which it is described once.
            reference: an alias or a version; "production" when None.
            routing_key: equal keys meet the same version while a canary runs.
            outputs: which to answer; all when None.
            timeout_ms: how long the answer is of use, in milliseconds.
            request_id: names the call in the server's log.

        Raises:
            InvalidInput: the inputs do not fit the model; `problems` says where.
            ParleyError: any other, such as NotFound, Overloaded or DeadlineExceeded.
        """
        options = CallOptions(timeout_ms=timeout_ms, request_id=request_id)
        return self._predictor.predict(model, inputs, reference, routing_key, outputs, options)

    def describe(self, model: str, *, reference: str | None = None, timeout_ms: float | None = None) -> ModelInfo:
        """A model's inputs and outputs, and which version answers now.

        Raises:
            NotFound: there is no such model or reference.
        """
        return self._predictor.describe(model, reference, CallOptions(timeout_ms=timeout_ms))

    # ------------------------------------------------------------- typed services

    def service(self, name: str) -> ContractService:
        """A typed service by its name in the contract, or as the client's attributes spell it.

        Raises:
            NotFound: the contract, or the server, has no such service.
        """
        wanted = attribute_name(name)
        if wanted not in self._services and self._program is None:
            with self._learning:
                if wanted not in self._services:
                    self._ask_for(wanted)
        found = self._services.get(wanted)
        if found is None:
            names = [service for service, _ in self._services.values()]
            raise NotFound(f'the contract has no service "{name}"{nearest(name, names)}; it has {", ".join(names)}')
        return ContractService(found[0], found[1], self._channel)

    def __getattr__(self, name: str) -> ContractService:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self.service(name)
        except NotFound as error:
            raise AttributeError(error.message) from error

    def stub(self, module: Any, service: str | None = None) -> Stub:
        """A service through its generated module, such as `penguins.Penguins`.

        Args:
            service: its name in the contract; the module's own when None.

        Raises:
            TypeError: it is no such module.
        """
        return Stub(stub_methods(module, service), self._channel, self.close)

    # ------------------------------------------------------------- the server

    def ping(self, *, timeout_ms: float | None = None) -> PingResponse:
        """Whether the server is well, and which services it has."""
        return self._channel.call(
            _PING,
            lambda context: Operations.ping_args(request=PingRequest(context=RequestContext(**context))),
            CallOptions(timeout_ms=timeout_ms),
        )

    def close(self) -> None:
        """Ends all connections. Calls that wait, in whichever thread, fail with ClientClosed, and so do later ones."""
        self._channel.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<parley.Client of {self._channel.address}{', closed' if self._channel.closed else ''}>"

    # ------------------------------------------------------------- contracts

    def _learn(self, program: Program) -> None:
        for name, methods in contract_services(program).items():
            self._services[attribute_name(name)] = (name, methods)

    def _ask_for(self, wanted: str) -> None:
        """Asks the server for the contract of a service that nobody has asked for yet."""
        names: list[str] = self.ping().services or []
        name = next((each for each in names if attribute_name(each) == wanted), None)
        if name is None:
            raise NotFound(f'the server has no service "{wanted}"{nearest(wanted, names)}; it has {", ".join(names)}')
        said = self._channel.call(
            _CONTRACT,
            lambda context: _contract_args(ContractRequest(context=RequestContext(**context), service_name=name)),
            CallOptions(),
        )
        self._learn(load_text(said.idl or "", said.includes or {}, f"{name} (the server's contract)"))

    def _agree(self, connection: Connection, latest: float) -> None:
        """Asks the server whether it can talk to a caller of this contract.

        Raises:
            ContractMismatch: it cannot; `problems` are the differences that break.
            Unsupported: it does not say.
        """
        program = self._program
        assert program is not None
        for service, _ in list(self._services.values()):
            request = ContractRequest(service_name=service, idl=program.text)
            request.includes = program.includes or None
            _check(service, exchange(connection, _CONTRACT, _asking(request, self._token), {}, latest))


def _asking(request: ContractRequest, token: str | None) -> Any:
    def arguments(context: dict[str, Any]) -> Any:
        request.context = RequestContext(auth_token=token, **context)
        return _contract_args(request)

    return arguments


def _contract_args(request: ContractRequest) -> Any:
    return Operations.contract_args(request=request)


def _check(service: str, said: Any) -> None:
    if said.compatible is None:
        raise Unsupported(
            f"the server does not say whether a caller's {service} can talk to it; it is of an older release"
        )
    if said.compatible:
        return
    breaking = [each for each in said.differences or () if each.breaking]
    problems = [Problem(each.path or service, each.message or "differs") for each in breaking]
    reasons = "; ".join(map(str, problems[:3])) or "it gives no differences"
    more = f" (and {len(problems) - 3} more)" if len(problems) > 3 else ""
    raise ContractMismatch(
        f"this client's contract of {service} does not fit the server's: {reasons}{more}", problems=problems
    )


def _contract(contract: PathLike) -> Program:
    """A file's name, or the text itself."""
    if isinstance(contract, str) and ("\n" in contract or "{" in contract):
        return load_text(contract, {})
    return load_file(Path(contract))


@overload
def connect(address: str, stubs: None = None, **options: Any) -> Client: ...


@overload
def connect(address: str, stubs: Any, **options: Any) -> Stub: ...


def connect(address: str, stubs: Any = None, **options: Any) -> Client | Stub:
    """A client of the server at "host:port".

    Args:
        stubs: a service's generated module; its methods are then the result's. None: services by contract alone.
        contract: a contract's file or text; the server's own is asked for when None.
        negotiate: ask on connecting whether the server can talk to a caller of this contract.
        token: shown with each call; the environment's PARLEY_TOKEN when None.
        tls: True for TLS with the system's authorities, or an ssl.SSLContext.
        ca: PEM file of the authority to trust in their place.
        cert, key: PEM files of the certificate to show.
        timeout_ms: of each call that has none of its own, retries included, in milliseconds; 30,000 when None.
        pool_size: most connections, and so calls at once; 8 when None.
        retries: whether calls are made again where that is right, at most a tenth more calls over time.
        max_frame_bytes: the longest reply that is taken; 256 MiB when None.

    Raises:
        ValueError: options that make no sense.
        InvalidInput: the contract cannot be read.
        ContractMismatch: with negotiate=True, when the server cannot talk to such a caller.
    """
    if stubs is None:
        return Client(address, **options)
    stub_methods(stubs)  # what is no such module is refused before anything is opened
    return Client(address, **options).stub(stubs)


__all__ = ["Client", "connect"]

"""TLS, tokens, and contracts that are compared."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import parley
from parley._gen import Operations
from parley._gen.ttypes import ContractDifference, ContractResponse, PingResponse

from .raw_server import RawServer, arguments_of, head_of, reply_to
from .servers import PROJECT, Server, contract_of
from .servers import parley as command


@pytest.fixture(scope="module")
def guarded(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """A server over TLS that takes a certificate of ours only, and asks for a token."""
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl")
    folder = tmp_path_factory.mktemp("guarded")
    cert, key, tokens = folder / "cert.pem", folder / "key.pem", folder / "tokens.yaml"
    kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"]
    files = ["-keyout", str(key), "-out", str(cert)]
    subprocess.run(["openssl", "req", *kind, *names, *files], check=True, capture_output=True)
    made = command("token", "create", "--role", "predict", "--tokens", str(tokens), "--json")
    words = ["--tls-cert", str(cert), "--tls-key", str(key), "--tls-client-ca", str(cert), "--tokens", str(tokens)]
    server = Server(store, *words)
    yield SimpleNamespace(address=server.address, token=json.loads(made)["token"], cert=str(cert), key=str(key))
    server.stop()


def test_tls_and_token(guarded: SimpleNamespace, torgersen: dict[str, Any]) -> None:
    files = {"ca": guarded.cert, "cert": guarded.cert, "key": guarded.key}
    with parley.connect(guarded.address, token=guarded.token, **files) as client:
        assert client.penguins.identify(**torgersen).species == "Adelie"
        assert client.describe("penguins").model == "penguins"


def test_the_token_may_stand_in_the_environment(
    guarded: SimpleNamespace, torgersen: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"ca": guarded.cert, "cert": guarded.cert, "key": guarded.key, "contract": PROJECT / "penguins.thrift"}
    with parley.connect(guarded.address, **files) as client, pytest.raises(parley.Unauthenticated):
        client.penguins.identify(**torgersen)
    with parley.connect(guarded.address, token="parley_wrong", **files) as client:
        with pytest.raises(parley.Unauthenticated) as caught:
            client.penguins.identify(**torgersen)
        assert "parley_wrong" not in str(caught.value)
    monkeypatch.setenv("PARLEY_TOKEN", guarded.token)
    with parley.connect(guarded.address, **files) as client:
        assert client.penguins.identify(**torgersen).species == "Adelie"


def test_who_cannot_be_trusted_is_not_asked(guarded: SimpleNamespace, tmp_path: Path) -> None:
    with parley.connect(guarded.address, tls=True) as client:
        with pytest.raises(parley.Unreachable, match="cannot be trusted: .*is ca= its authority") as caught:
            client.ping()
        assert not caught.value.retryable
    with parley.connect(guarded.address, timeout_ms=5_000, retries=False) as client:
        with pytest.raises(parley.ParleyError):
            client.ping()
    with pytest.raises(ValueError, match="key= needs cert="):
        parley.connect(guarded.address, key=guarded.key)
    with pytest.raises(ValueError, match="tls=False"):
        parley.connect(guarded.address, tls=False, ca=guarded.cert)
    with pytest.raises(OSError, match="nowhere|No such file"):
        parley.connect(guarded.address, ca=tmp_path / "nowhere.pem")


def test_a_method_without_a_context_has_the_token_shown_before(torgersen: dict[str, Any]) -> None:
    contract = (PROJECT / "penguins.thrift").read_text().replace(", 2: parley.RequestContext context", "")
    pong = Operations.ping_result(success=PingResponse(ready=True))

    def answer(frame: bytes) -> bytes | None:
        return reply_to(frame, pong) if head_of(frame)[0] == "Operations:ping" else None

    with RawServer(answer) as server:
        with parley.connect(server.address, contract=contract, token="secret", retries=False) as client:
            with pytest.raises(parley.Unreachable):
                client.penguins.identify(**torgersen)
        assert [head_of(frame)[0] for frame in server.frames] == ["Operations:ping", "Penguins:identify"]
        shown = arguments_of(server.frames[0], Operations.ping_args).request.context
        assert shown.auth_token == "secret"


# ------------------------------------------------------------- negotiate=True


def test_negotiation_with_a_server(server: Server, store: Path, torgersen: dict[str, Any]) -> None:
    contract = contract_of(store).read_text()
    try:
        client = parley.connect(server.address, contract=contract, negotiate=True)
    except parley.Unsupported as error:
        pytest.skip(error.message)
    with client:
        assert client.penguins.identify(**torgersen).species == "Adelie"
    for other in (
        contract.replace("1: optional double bill_length_mm", "1: optional i32 bill_length_mm"),
        contract.replace("Identified identify(", "Identified identity("),
    ):
        assert other != contract
        with pytest.raises(parley.ContractMismatch, match="does not fit the server's") as caught:
            parley.connect(server.address, contract=other, negotiate=True)
        assert caught.value.problems


def negotiating(said: ContractResponse) -> RawServer:
    pong = Operations.ping_result(success=PingResponse(ready=True))
    result = Operations.contract_result(success=said)
    return RawServer(lambda frame: reply_to(frame, result if head_of(frame)[0] == "Operations:contract" else pong))


def test_a_contract_that_does_not_fit_is_told_with_its_differences() -> None:
    differences = [
        ContractDifference(path="Penguin.sex", breaking=True, message="is gone"),
        ContractDifference(path="Penguin.island", breaking=False, message="is wider"),
    ]
    contract = PROJECT / "penguins.thrift"
    with negotiating(ContractResponse(compatible=False, differences=differences)) as server:
        with pytest.raises(parley.ContractMismatch, match=r"does not fit the server's: Penguin\.sex is gone") as caught:
            parley.connect(server.address, contract=contract, negotiate=True)
        assert [problem.path for problem in caught.value.problems] == ["Penguin.sex"]
        asked = arguments_of(server.frames[0], Operations.contract_args).request
        assert asked.service_name == "Penguins" and asked.idl == contract.read_text()
    with negotiating(ContractResponse(compatible=True)) as server:
        parley.connect(server.address, contract=contract, negotiate=True).close()


def test_a_server_that_does_not_compare_is_no_agreement() -> None:
    with negotiating(ContractResponse(idl="")) as server:
        with pytest.raises(parley.Unsupported, match="does not say"):
            parley.connect(server.address, contract=PROJECT / "penguins.thrift", negotiate=True)
        with pytest.raises(ValueError, match="give it as contract="):
            parley.connect(server.address, negotiate=True)

"""Generated stubs: of the user's contract, and Parley's own."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

import parley
from parley._gen import Prediction, Registry
from parley._gen.ttypes import PredictRequest, RequestContext, VersionsRequest

from .raw_server import RawServer, arguments_of
from .servers import Server


def test_methods_are_called_plainly(server: Server, stubs: SimpleNamespace, torgersen: dict[str, Any]) -> None:
    with parley.connect(server.address, stubs.Penguins) as penguins:
        answer = penguins.identify(stubs.Penguin(**torgersen))
        assert answer.species == stubs.Species.ADELIE
        answers = penguins.identify_many(penguins=[stubs.Penguin(**torgersen)] * 3)
        assert [each.species for each in answers] == [stubs.Species.ADELIE] * 3


def test_errors_are_typed(server: Server, stubs: SimpleNamespace, torgersen: dict[str, Any]) -> None:
    with parley.connect(server.address, stubs.Penguins) as penguins:
        with pytest.raises(parley.InvalidInput, match="must be between 20 and 80 mm") as caught:
            penguins.identify(stubs.Penguin(**{**torgersen, "bill_length_mm": 4650}), RequestContext(request_id="mine"))
        assert caught.value.request_id == "mine"
        with pytest.raises(parley.InvalidInput, match=r"penguins\[1\]\.island must be text, got 3 \(int\)"):
            penguins.identify_many([stubs.Penguin(), stubs.Penguin(island=3)])
        with pytest.raises(TypeError, match="identify.. takes penguin, context"):
            penguins.identify(bird=stubs.Penguin())
        with pytest.raises(AttributeError, match='no method "identity"'):
            penguins.identity()


def test_what_is_no_stub_is_refused(server: Server, stubs: SimpleNamespace) -> None:
    with pytest.raises(TypeError, match="is no service's generated module"):
        parley.connect(server.address, stubs.Penguin)


def test_the_context_is_filled_in_and_the_callers_part_stays(stubs: SimpleNamespace) -> None:
    with RawServer(lambda frame: None) as server:
        with parley.connect(
            server.address, stubs.Penguins, retries=False, token="secret", timeout_ms=5_000
        ) as penguins:
            with pytest.raises(parley.Unreachable):
                penguins.identify(stubs.Penguin())
            mine = RequestContext(request_id="mine", timeout_ms=700, trace={"traceparent": "00-1"})
            with pytest.raises(parley.Unreachable):
                penguins.identify(stubs.Penguin(), mine)
            with pytest.raises(parley.Unreachable):
                penguins.identify(stubs.Penguin(), RequestContext(auth_token="another"))
        first, second, third = (arguments_of(frame, stubs.Penguins.identify_args).context for frame in server.frames)
    assert first.auth_token == "secret" and len(first.request_id) == 16 and 0 < first.timeout_ms <= 5_000
    assert second.auth_token == "secret" and second.request_id == "mine" and second.trace == {"traceparent": "00-1"}
    assert 0 < second.timeout_ms <= 700
    assert third.auth_token == "another"
    assert mine.auth_token is None and mine.timeout_ms == 700


def test_parleys_own_services_take_their_context_inside(server: Server, client: parley.Client) -> None:
    registry = client.stub(Registry)
    request = VersionsRequest(model="penguins")
    (version,) = registry.list_versions(request).versions
    assert version.aliases == ["production"] and request.context is None
    with pytest.raises(parley.NotFound):
        client.stub(Prediction).predict(PredictRequest(model="nobody"))


def test_a_service_that_the_server_has_not(server: Server, stubs: SimpleNamespace) -> None:
    with (
        parley.Client(server.address) as client,
        pytest.raises(parley.NotFound, match="the server does not take the call"),
    ):
        client.stub(stubs.Penguins, service="Pinguine").identify(stubs.Penguin())

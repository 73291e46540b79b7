"""Servers that go away, stand still, have too much to do, or lie."""

from __future__ import annotations

import os
import struct
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import parley
from parley._connection import Connection
from parley._gen import Operations, Prediction
from parley._gen.ttypes import ErrorCode, ParleyError, PingResponse, PredictResponse, Provenance

from .raw_server import RawServer, arguments_of, framed, head_of, reply_to
from .servers import Server


def until(condition: Any, seconds: float = 20) -> None:
    """Waits for something that another thread does."""
    latest = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < latest, "it did not come to that"
        time.sleep(0.002)


def refusal(code: int, **more: Any) -> Any:
    return Operations.ping_result(error=ParleyError(code=code, message="no", **more))


PONG = Operations.ping_result(success=PingResponse(ready=True))


def test_nobody_listens() -> None:
    with parley.connect("127.0.0.1:1", timeout_ms=2_000) as client:
        with pytest.raises(parley.Unreachable, match=r"no server answers at 127\.0\.0\.1:1: .*refused") as caught:
            client.ping()
        assert caught.value.retryable and not caught.value.sent


def test_an_address_must_be_one() -> None:
    for address in ("localhost", "localhost:", ":9090", "::1:9090", "localhost:0", "localhost:70000", "a:b"):
        with pytest.raises(ValueError, match="is not an address; write host:port"):
            parley.connect(address)


def test_a_server_that_is_killed_in_mid_call_and_comes_back(
    store: Path, own_server: Server, torgersen: dict[str, Any]
) -> None:
    with parley.connect(own_server.address, timeout_ms=10_000) as client, ThreadPoolExecutor(1) as threads:
        identify = client.penguins.identify
        assert identify(**torgersen).species == "Adelie"
        own_server.pause()
        pending = threads.submit(identify, **torgersen)
        until(lambda: client._channel._pool._busy)
        own_server.kill()
        with pytest.raises(parley.Unreachable):
            pending.result(timeout=10)
        again = Server(store, port=own_server.port)
        try:
            assert identify(**torgersen).species == "Adelie"
        finally:
            again.stop()


def test_connections_that_ended_while_they_were_idle_are_not_used(store: Path, own_server: Server) -> None:
    with parley.connect(own_server.address, retries=False) as client:
        client.ping()
        own_server.kill()
        again = Server(store, port=own_server.port)
        try:
            assert client.ping().ready
        finally:
            again.stop()


def test_a_server_that_stands_still(own_server: Server) -> None:
    with parley.connect(own_server.address) as client:
        client.ping()
        own_server.pause()
        began = time.monotonic()
        with pytest.raises(parley.DeadlineExceeded, match="did not answer within") as caught:
            client.ping(timeout_ms=200)
        assert 0.15 < time.monotonic() - began < 5
        assert not caught.value.received and caught.value.request_id
        own_server.resume()
        # The late reply is not taken for this call's: its connection is gone.
        assert client.ping().ready


def test_a_deadline_holds_for_all_calls_of_a_block(own_server: Server) -> None:
    with parley.connect(own_server.address) as client:
        client.ping()
        own_server.pause()
        began = time.monotonic()
        with parley.deadline(300), parley.deadline(60_000):
            for _ in range(3):
                with pytest.raises(parley.DeadlineExceeded):
                    client.ping(timeout_ms=20_000)
        assert time.monotonic() - began < 5
        own_server.resume()
        assert client.ping().ready


def test_the_server_is_told_what_is_left_of_the_time() -> None:
    with RawServer(lambda frame: reply_to(frame, PONG)) as server, parley.connect(server.address) as client:
        client.ping()
        with parley.deadline(500):
            client.ping(timeout_ms=9_000)
    told = [arguments_of(frame, Operations.ping_args).request.context.timeout_ms for frame in server.frames]
    assert 20_000 < told[0] <= 30_000 and 0 < told[1] <= 500


def test_too_much_to_do(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[None] = []
    receive = Connection._receive

    def receive_after_note(self: Connection, latest: float) -> bytes:
        sent.append(None)
        return receive(self, latest)

    monkeypatch.setattr(Connection, "_receive", receive_after_note)
    settings = tmp_path / "serving.yaml"
    settings.write_text("defaults:\n  max_queue_ms: 1\n")
    server, calls = Server(store, "--config", str(settings)), 120
    row = np.ones((1, 1), dtype=np.float32)
    try:
        with parley.connect(server.address, pool_size=calls, retries=False) as client:
            client.predict("slow", row)
            with ThreadPoolExecutor(calls) as threads:
                server.pause()
                sent.clear()
                pending = [threads.submit(client.predict, "slow", row) for _ in range(calls)]
                until(lambda: len(sent) == calls)
                server.resume()
                errors = [each.exception(timeout=60) for each in pending]
            refused = [error for error in errors if error is not None]
            assert refused and len(refused) < calls
            assert all(isinstance(error, parley.Overloaded) for error in refused)
            assert all(error.retry_after > 0 and error.retryable and error.received for error in refused)
            assert client.predict("slow", row)["y"].shape == (1, 1)
    finally:
        server.stop()


def test_a_call_is_made_again_when_the_server_asks_to_wait() -> None:
    replies = [refusal(ErrorCode.OVERLOADED, retryable=True, retry_after_ms=30), PONG]
    times: list[float] = []

    def answer(frame: bytes) -> bytes:
        times.append(time.monotonic())
        return reply_to(frame, replies.pop(0))

    with RawServer(answer) as server, parley.connect(server.address) as client:
        assert client.ping().ready
    assert times[1] - times[0] >= 0.03
    first, second = (arguments_of(frame, Operations.ping_args).request.context for frame in server.frames)
    assert first.request_id == second.request_id and second.timeout_ms < first.timeout_ms


@pytest.mark.parametrize(
    ("code", "retryable", "kind"),
    [
        (ErrorCode.INVALID_INPUT, False, parley.InvalidInput),
        (ErrorCode.MODEL_BROKEN, False, parley.ModelBroken),
        (ErrorCode.DEADLINE_EXCEEDED, True, parley.DeadlineExceeded),
        (99, False, parley.Internal),
    ],
)
def test_what_would_not_help_is_not_made_again(code: int, retryable: bool, kind: type[Exception]) -> None:
    answer = refusal(code, retryable=retryable)
    with RawServer(lambda frame: reply_to(frame, answer)) as server, parley.connect(server.address) as client:
        with pytest.raises(kind):
            client.ping()
        assert len(server.frames) == 1


def test_a_wait_that_the_deadline_does_not_allow_is_not_begun() -> None:
    answer = refusal(ErrorCode.OVERLOADED, retryable=True, retry_after_ms=60_000)
    with RawServer(lambda frame: reply_to(frame, answer)) as server, parley.connect(server.address) as client:
        with pytest.raises(parley.Overloaded) as caught:
            client.ping(timeout_ms=5_000)
        assert caught.value.retry_after == 60 and len(server.frames) == 1


def test_retries_end_with_their_budget() -> None:
    answer = refusal(ErrorCode.SHUTTING_DOWN, retryable=True, retry_after_ms=0)
    calls = 40
    with RawServer(lambda frame: reply_to(frame, answer)) as server, parley.connect(server.address) as client:
        for _ in range(calls):
            with pytest.raises(parley.ShuttingDown):
                client.ping()
    retries = len(server.frames) - calls
    # The bucket was full with 10, and each call has put in a tenth.
    assert 10 <= retries <= 10 + calls // 10


def test_a_lost_reply_is_asked_for_again_only_where_running_twice_changes_nothing() -> None:
    from parley._gen import Registry
    from parley._gen.ttypes import PromoteRequest

    with RawServer(lambda frame: None) as server, parley.connect(server.address) as client:
        with pytest.raises(parley.Unreachable) as caught:
            client.stub(Registry).promote(PromoteRequest(model="penguins"))
        assert caught.value.sent and len(server.frames) == 1
        with pytest.raises(parley.Unreachable):
            client.ping()
        assert len(server.frames) == 5
        with pytest.raises(parley.Unreachable):
            client.stub(Operations).with_options(idempotent=False).ping()
        assert len(server.frames) == 6


def test_close_ends_pending_calls(own_server: Server) -> None:
    client = parley.connect(own_server.address, pool_size=1)
    client.ping()
    own_server.pause()
    with ThreadPoolExecutor(4) as threads:
        # One has the connection, the others wait for it.
        pending = [threads.submit(client.ping) for _ in range(4)]
        until(lambda: client._channel._pool._busy and len(client._channel._pool._changed._waiters) == 3)
        client.close()
        for each in pending:
            with pytest.raises(parley.ClientClosed):
                each.result(timeout=10)
    with pytest.raises(parley.ClientClosed):
        client.ping()
    assert repr(client).endswith("closed>")


def test_a_pool_that_is_used_up_is_waited_for_until_the_deadline(own_server: Server) -> None:
    with parley.connect(own_server.address, pool_size=1) as client, ThreadPoolExecutor(1) as threads:
        client.ping()
        own_server.pause()
        pending = threads.submit(client.ping)
        until(lambda: client._channel._pool._busy)
        with pytest.raises(parley.DeadlineExceeded, match="all 1 connections were in use"):
            client.ping(timeout_ms=100)
        own_server.resume()
        assert pending.result(timeout=20).ready


def test_many_threads_share_a_client(server: Server, torgersen: dict[str, Any]) -> None:
    with parley.connect(server.address, pool_size=4) as client, ThreadPoolExecutor(16) as threads:
        frames = [pd.DataFrame([torgersen] * (1 + number % 5)) for number in range(200)]
        answers = list(threads.map(client.penguins.identify_many, frames))
        assert [len(answer) for answer in answers] == [len(frame) for frame in frames]
        pool = client._channel._pool
        assert not pool._busy and 1 <= len(pool._idle) <= 4


# ------------------------------------------------------------- bytes that lie


def nested(depth: int) -> bytes:
    """A struct in an unknown field, in a struct in an unknown field…"""
    return b"\x0c\x00\x63" * depth + b"\x00" * (depth + 1)


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (lambda frame: struct.pack(">i", 1 << 30), "a frame of 1073741824 bytes"),
        (lambda frame: struct.pack(">i", -1), "a frame of -1 bytes"),
        (lambda frame: b"HTTP/1.1 400 Bad Request\r\n\r\n", "a frame of 1213486160 bytes"),
        (lambda frame: framed(b"x" * 40), "not a message of the binary protocol"),
        (lambda frame: reply_to(frame, PONG) + b"more", "more than the reply that was asked for"),
        (lambda frame: reply_to(frame, nested(100_000)), "nested deeper than 64"),
        (lambda frame: reply_to(frame, b"\x0f\x00\x63" + b"\x0f\x00\x00\x00\x01" * 100_000), "nested deeper than 64"),
        (lambda frame: reply_to(frame, b"\x0f\x00\x63\x0c\x7f\xff\xff\xff" + b"\x00" * 2000), "longer than its frame"),
        (lambda frame: reply_to(frame, b"\x0b\x00\x63\x7f\xff\xff\xff" + b"x" * 2000), "longer than its frame"),
        (lambda frame: reply_to(frame, b"\x0c\x00\x00\x0f\x00\x04\x0b\x7f\xff\xff\xff"), "size exceeded"),
        (lambda frame: reply_to(frame, b"\x0c\x00\x00\x0c\x00\x63"), ""),
        (lambda frame: reply_to(frame, b"\x63\x00\x63" + b"x" * 2000), "a value of type 99"),
    ],
)
def test_bytes_that_are_no_reply_end_the_connection_and_nothing_else(reply: Any, said: str) -> None:
    with RawServer(lambda frame: reply(frame)) as server, parley.connect(server.address, retries=False) as client:
        with pytest.raises(parley.Unreachable) as caught:
            client.ping()
        assert said in str(caught.value)
        assert not client._channel._pool._idle


def test_a_reply_to_another_call_is_not_taken() -> None:
    def answer(frame: bytes) -> bytes:
        name, sequence = head_of(frame)
        other = struct.pack(f">Ii{len(name)}si", 0x80010001, len(name), name.encode(), sequence + 1)
        return reply_to(other, PONG)

    with RawServer(answer) as server, parley.connect(server.address, retries=False) as client:
        with pytest.raises(parley.Unreachable, match="a reply to another call"):
            client.ping()


def test_a_tensor_that_contradicts_itself_is_the_servers_fault() -> None:
    from parley._gen.ttypes import DataType, Tensor

    for tensor, said in [
        (Tensor(name="y", data_type=DataType.FLOAT32, shape=[2], data=b"1234"), "4 bytes for the shape"),
        (Tensor(name="y", data_type=DataType.STRING, shape=[2], strings=["a"]), "1 strings for the shape"),
        (Tensor(name="y", data_type=77, shape=[0]), "data type 77"),
    ]:
        result = Prediction.predict_result(success=PredictResponse(provenance=Provenance(), outputs=[tensor]))
        with RawServer(lambda frame, result=result: reply_to(frame, result)) as server:
            with parley.connect(server.address) as client, pytest.raises(parley.Internal, match=said):
                client.predict("m", np.zeros(1))


def test_threads_that_connect_at_once_make_no_more_connections_than_allowed() -> None:
    gate = threading.Event()

    def answer(frame: bytes) -> bytes:
        gate.wait(10)
        return reply_to(frame, PONG)

    with RawServer(answer) as server, parley.connect(server.address, pool_size=3) as client:
        with ThreadPoolExecutor(12) as threads:
            pending = [threads.submit(client.ping) for _ in range(12)]
            until(lambda: len(server.frames) == 3)
            assert len(client._channel._pool._busy) == 3
            gate.set()
            assert all(each.result(timeout=20).ready for each in pending)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes do not fork here")
def test_a_forked_process_has_connections_of_its_own() -> None:
    with (
        RawServer(lambda frame: reply_to(frame, PONG)) as server,
        parley.connect(server.address, retries=False) as client,
    ):
        client.ping()
        (idle,) = client._channel._pool._idle
        child = os.fork()
        if child == 0:
            well = client.ping().ready and client._channel._pool._idle != [idle]
            os._exit(0 if well else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert client.ping().ready and client._channel._pool._idle == [idle]

"""Asks a Parley server which species a penguin is, through stubs that the Thrift compiler made from penguins.thrift.

    python client.py HOST:PORT [compact] [multiplexed] [--ca FILE.pem] [--token TOKEN] [--rows FILE.jsonl]

With --rows, each line of the file is a penguin, and each answer is printed as a line of JSON.

What to know about `thrift` for Python:
  - The server speaks framed Thrift only: with TBufferedTransport, which many examples use, it closes the connection
    ("TSocket read 0 bytes").
  - setTimeout is in milliseconds, and without it a server that went away is waited for.
  - One connection takes one call at a time, and is not for several threads at once. After a timeout it must be closed,
    since the late reply would be taken for the next call's.
  - The accelerated protocols need the package's C extension, and fall back to plain Python without it.
"""

import argparse
import contextlib
import json
import os
import ssl
import sys

# What the stubs import each other by; in a package of your own they would be installed beside it.
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "gen-py"))

from parley.ttypes import ErrorCode, ParleyError, RequestContext
from penguins import Penguins
from penguins.ttypes import Penguin, Species
from thrift.protocol.TBinaryProtocol import TBinaryProtocolAcceleratedFactory
from thrift.protocol.TCompactProtocol import TCompactProtocolAcceleratedFactory
from thrift.protocol.TMultiplexedProtocol import TMultiplexedProtocol
from thrift.transport import TSocket, TSSLSocket, TTransport

TIMEOUT_MS = 5_000


@contextlib.contextmanager
def connect(address, compact=False, multiplexed=False, authority=None):
    """A client of the Penguins service; its connection is closed at the end of the block."""
    host, port = address.rsplit(":", 1)
    if authority is None:
        socket = TSocket.TSocket(host, int(port))
    else:
        # TLS: the server must show a certificate of this authority, for this host.
        socket = TSSLSocket.TSSLSocket(host, int(port), cert_reqs=ssl.CERT_REQUIRED, ca_certs=authority)
    socket.setTimeout(TIMEOUT_MS)
    transport = TTransport.TFramedTransport(socket)
    # The protocol is the caller's choice; the server answers in the same.
    factory = TCompactProtocolAcceleratedFactory() if compact else TBinaryProtocolAcceleratedFactory()
    protocol = factory.getProtocol(transport)
    # Plain names reach the server's default service; "Penguins:identify" is there in any case.
    if multiplexed:
        protocol = TMultiplexedProtocol(protocol, "Penguins")
    transport.open()
    try:
        yield Penguins.Client(protocol)
    finally:
        transport.close()


def name_of(enum, value):
    """The name of an enum's value, which is a plain int in these stubs."""
    return enum._VALUES_TO_NAMES.get(value, str(value))


def context(request_id, token=None):
    """Optional: an id to find the call by in the server's log, how long an answer is of use, and who asks."""
    return RequestContext(request_id=request_id, timeout_ms=TIMEOUT_MS, auth_token=token)


def show(verb, answer):
    source = answer.provenance
    print(
        f"{verb}: {name_of(Species, answer.species)} ({answer.confidence:.4f}), "
        f"says {source.model} {source.version[:12]}, prediction {source.prediction_id}"
    )


def demonstrate(client, token):
    torgersen = Penguin(
        bill_length_mm=39.1,
        bill_depth_mm=18.7,
        flipper_length_mm=181,
        body_mass_g=3750,
        island="Torgersen",
        sex="MALE",
    )
    show("identify", client.identify(torgersen, context("one", token)))

    others = [
        Penguin(
            bill_length_mm=46.5,
            bill_depth_mm=17.9,
            flipper_length_mm=192,
            body_mass_g=3500,
            island="Dream",
            sex="FEMALE",
        ),
        # Nobody knows this one's sex, which the contract allows.
        Penguin(bill_length_mm=46.1, bill_depth_mm=13.2, flipper_length_mm=211, body_mass_g=4500, island="Biscoe"),
    ]
    for answer in client.identify_many(others, context("two", token)):
        show("identify_many", answer)

    torgersen.bill_length_mm = 4650
    try:
        client.identify(torgersen, context("three", token))
    except ParleyError as error:
        print(f"refused: {name_of(ErrorCode, error.code)}, retryable: {str(error.retryable).lower()}")
        for problem in error.problems:
            print(f"  {problem.path} {problem.message}, got {problem.got}")


def answer_row(client, row, token):
    try:
        answer = client.identify(Penguin(**row), token and context("row", token))
    except ParleyError as error:
        problems = [{"path": problem.path, "message": problem.message} for problem in error.problems]
        return {"error": {"code": name_of(ErrorCode, error.code), "problems": problems}}
    return {
        "label": name_of(Species, answer.species),
        "probabilities": {name_of(Species, key): value for key, value in answer.probability.items()},
        "version": answer.provenance.version,
        "prediction_id": answer.provenance.prediction_id,
    }


def main():
    parser = argparse.ArgumentParser(description="Asks a Parley server which species a penguin is.")
    parser.add_argument("address", metavar="HOST:PORT")
    parser.add_argument("words", nargs="*", metavar="compact | multiplexed")
    parser.add_argument("--ca", metavar="FILE.pem", help="speak TLS, with a server of this authority")
    parser.add_argument("--token", help="show it to a server that asks for one")
    parser.add_argument("--rows", metavar="FILE.jsonl", help="answer each line of the file")
    arguments = parser.parse_args()
    if set(arguments.words) - {"compact", "multiplexed"}:
        parser.error("behind the address, write compact, multiplexed or both")
    compact, multiplexed = "compact" in arguments.words, "multiplexed" in arguments.words
    try:
        with connect(arguments.address, compact, multiplexed, arguments.ca) as client:
            if arguments.rows is None:
                demonstrate(client, arguments.token)
            else:
                with open(arguments.rows, encoding="utf-8") as rows:
                    for line in rows:
                        print(json.dumps(answer_row(client, json.loads(line), arguments.token)))
    except TTransport.TTransportException as error:
        sys.exit(f"error: no server answers at {arguments.address}: {error.message}")


if __name__ == "__main__":
    main()

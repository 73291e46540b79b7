"""Calls services by stubs of many contracts, and prints what each call comes to as one JSON array.

    python client.py JOBS.json

See client.mjs: a job's stubs are a package of their own here, in a folder of the path.
"""

import importlib
import json
import sys

from thrift.protocol.TBinaryProtocol import TBinaryProtocol
from thrift.protocol.TMultiplexedProtocol import TMultiplexedProtocol
from thrift.Thrift import TException
from thrift.transport import TSocket, TTransport

with open(sys.argv[1], encoding="utf-8") as opened:
    asked = json.load(opened)
sys.path.insert(0, asked["path"])


def connect():
    socket = TSocket.TSocket(asked["host"], asked["port"])
    socket.setTimeout(5_000)
    transport = TTransport.TFramedTransport(socket)
    transport.open()
    return transport


def plain(answer, types):
    """By field name, without provenance; numbers of the enum with their names."""
    if not hasattr(answer, "thrift_spec"):
        return {"odd": type(answer).__name__}
    names = types.Species._VALUES_TO_NAMES
    fields = {}
    for spec in answer.thrift_spec:
        value = None if spec is None else getattr(answer, spec[2])
        if value is None or spec[2] == "provenance":
            continue
        if spec[2] == "species":
            value = {"number": value, "name": names.get(value)}
        elif isinstance(value, dict):
            value = {names.get(key, f"#{key}"): each for key, each in value.items()}
        fields[spec[2]] = value
    return fields


def outcome_of(job, transport):
    types = importlib.import_module(job["stubs"] + ".ttypes")
    service = importlib.import_module(f"{job['stubs']}.{job['service']}")
    client = service.Client(TMultiplexedProtocol(TBinaryProtocol(transport), job["served"]))
    if not hasattr(client, job["method"]):
        return {"source": "no method " + job["method"]}
    try:
        penguin = types.Penguin(**job["row"])
        answer = getattr(client, job["method"])([penguin] if job["many"] else penguin, None)
        return {"answer": plain(answer[0] if job["many"] else answer, types)}
    except TException as error:
        problems = [{"path": problem.path} for problem in getattr(error, "problems", None) or []]
        code = getattr(error, "code", None)
        return {"error": {"name": type(error).__name__, "code": code, "message": str(error.message), "problems": problems}}


def called(job):
    # What one call leaves behind is not read by the next.
    transport = connect()
    try:
        return outcome_of(job, transport)
    finally:
        transport.close()


print(json.dumps([called(job) for job in asked["jobs"]]))

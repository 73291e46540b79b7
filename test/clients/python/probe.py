"""Calls what the example's client does not, through the same generated stubs, and prints the answers as one JSON object.

    python probe.py STUBS HOST:PORT ROWS.jsonl [compact] [multiplexed]

The keys are the same in every language: see answers.ts.
"""

import array
import base64
import json
import sys

stubs, address, file, *words = sys.argv[1:]
sys.path.insert(0, stubs)

from parley import Operations, Prediction, Registry, ttypes as parley
from penguins import Penguins
from penguins.ttypes import Penguin
from thrift.protocol import TBinaryProtocol, TCompactProtocol
from thrift.protocol.TMultiplexedProtocol import TMultiplexedProtocol
from thrift.Thrift import TApplicationException, TMessageType
from thrift.transport import TSocket, TTransport

host, port = address.rsplit(":", 1)
socket = TSocket.TSocket(host, int(port))
socket.setTimeout(10_000)
transport = TTransport.TFramedTransport(socket)
# Plain Python here, where the example takes the accelerated protocols.
Protocol = TCompactProtocol.TCompactProtocol if "compact" in words else TBinaryProtocol.TBinaryProtocol
protocol = Protocol(transport)


def client_of(service):
    """All services share one connection, whatever names they are called by."""
    if "multiplexed" not in words:
        return service.Client(protocol)
    return service.Client(TMultiplexedProtocol(protocol, service.__name__.split(".")[-1]))


def plain(value):
    """A struct as a dict, without what is absent."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, (list, tuple)):
        return [plain(element) for element in value]
    if isinstance(value, dict):
        return {key: plain(element) for key, element in value.items()}
    if hasattr(value, "thrift_spec"):
        fields = [spec[2] for spec in value.thrift_spec if spec is not None]
        return {name: plain(getattr(value, name)) for name in fields if getattr(value, name) is not None}
    return value


def refusal(call):
    try:
        call()
    except parley.ParleyError as error:
        return {**plain(error), "typed": True}
    return {"refused": False}


def tensor(spec):
    """One field of all rows: float64 or text, shape (rows, 1)."""
    values = [row.get(spec.name) for row in rows]
    shape = [len(rows) if extent < 0 else extent for extent in spec.shape]
    made = parley.Tensor(name=spec.name, data_type=spec.data_type, shape=shape)
    if spec.data_type == parley.DataType.STRING:
        made.strings = [value or "" for value in values]
    else:
        made.data = array.array("d", [float("nan") if value is None else value for value in values]).tobytes()
    return made


def call_unknown():
    """A method that no server knows, called and answered as the compiler would write it."""
    operations = client_of(Operations)
    protocol.writeMessageBegin("Penguins:guess" if "multiplexed" in words else "guess", TMessageType.CALL, 7)
    Operations.ping_args(request=parley.PingRequest()).write(protocol)
    protocol.writeMessageEnd()
    transport.flush()
    try:
        operations.recv_ping()
    except TApplicationException as error:
        after = plain(operations.ping(parley.PingRequest()))
        return {"type": error.type, "message": error.message, "name": type(error).__name__, "after": after}
    return {"refused": False}


with open(file, encoding="utf-8") as lines:
    rows = [json.loads(line) for line in lines]
transport.open()
penguins, prediction = client_of(Penguins), client_of(Prediction)
context = parley.RequestContext(request_id="probe")
described = prediction.describe(parley.DescribeRequest(model="penguins"))
answers = {
    "many": penguins.identify_many([Penguin(**row) for row in rows], None),
    "refused": refusal(
        lambda: penguins.identify_many(
            [Penguin(**rows[0]), Penguin(**{**rows[1], "bill_length_mm": 4650.0})],
            context,
        )
    ),
    "not_found": refusal(lambda: prediction.describe(parley.DescribeRequest(context, "walruses"))),
    "unknown": call_unknown(),
    "described": described,
    "predicted": prediction.predict(
        parley.PredictRequest(model="penguins", inputs=[tensor(spec) for spec in described.inputs])
    ),
    "versions": client_of(Registry).list_versions(parley.VersionsRequest(model="penguins")),
    "history": client_of(Registry).history(parley.HistoryRequest(model="penguins")),
    "ping": client_of(Operations).ping(parley.PingRequest()),
}
transport.close()
print(json.dumps(plain(answers)))

"""Calls what the example's client does not, through the same generated stubs, and prints the answers as one JSON object.

    python probe.py STUBS HOST:PORT ROWS.jsonl GRAPH.onnx MODEL [compact] [multiplexed] [ca=FILE.pem] [token=TOKEN]

The graph, of the sum of a and b, is published as a version of the model, which must be new. The keys are the same in every language: see answers.ts.
"""

import array
import base64
import json
import ssl
import sys

stubs, address, file, graph_file, new_model, *words = sys.argv[1:]
sys.path.insert(0, stubs)

from parley import Feedback, Operations, Prediction, Registry, Training, ttypes as parley
from penguins import Penguins
from penguins.ttypes import Penguin
from thrift.protocol import TBinaryProtocol, TCompactProtocol
from thrift.protocol.TMultiplexedProtocol import TMultiplexedProtocol
from thrift.Thrift import TApplicationException, TMessageType
from thrift.transport import TSocket, TSSLSocket, TTransport

host, port = address.rsplit(":", 1)
given = dict(word.split("=", 1) for word in words if "=" in word)
authority, token = given.get("ca"), given.get("token")
if authority is None:
    socket = TSocket.TSocket(host, int(port))
else:
    # The server must show a certificate of this authority.
    socket = TSSLSocket.TSSLSocket(host, int(port), cert_reqs=ssl.CERT_REQUIRED, ca_certs=authority)
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


def one(name, value):
    """A tensor of one row."""
    data = array.array("d", [value]).tobytes()
    return parley.Tensor(name=name, data_type=parley.DataType.FLOAT64, shape=[1, 1], data=data)


def publish():
    """From an upload to a version behind an alias, which is held against a promotion and released."""
    registry = client_of(Registry)
    with open(graph_file, "rb") as opened:
        graph = opened.read()
    alias = {"model": new_model, "alias_name": "candidate"}
    begun = registry.begin_upload(parley.BeginUploadRequest(model=new_model, size_bytes=len(graph)))
    part = registry.upload_part(parley.UploadPartRequest(upload_id=begun.upload_id, offset=0, data=graph))
    published = registry.publish(
        parley.PublishRequest(
            model=new_model, upload_id=begun.upload_id, metrics={"test.mae": 0.25}, description="by a probe"
        )
    )
    version = published.version.version
    promotion = parley.PromoteRequest(**alias, version=version, reason="why not", context=context)
    held = parley.HoldRequest(**alias, reason="probing")
    inputs = [one("a", 1), one("b", 2.5)]
    return {
        "begun": begun,
        "part": part,
        "published": published,
        "promoted": registry.promote(promotion),
        "held": registry.hold(held),
        "aliases": registry.aliases(parley.AliasesRequest(model=new_model)),
        "conflict": refusal(lambda: registry.promote(promotion)),
        "released": registry.release(held),
        "predicted": client_of(Prediction).predict(
            parley.PredictRequest(model=new_model, reference=version, outputs=["value"], inputs=inputs)
        ),
        "pruned": registry.prune(parley.PruneRequest(model=new_model, keep=0, dry_run=True)),
        "history": registry.history(parley.HistoryRequest(model=new_model)),
    }


with open(file, encoding="utf-8") as lines:
    rows = [json.loads(line) for line in lines]
transport.open()
if token is not None:
    # The connection is known by it from here on.
    client_of(Operations).ping(parley.PingRequest(parley.RequestContext(auth_token=token)))
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
    "contract": client_of(Operations).contract(parley.ContractRequest(service_name="Penguins")),
    "registry": publish(),
    "no_runs": refusal(lambda: client_of(Training).list_runs(parley.ListRunsRequest(context))),
    "no_labels": refusal(
        lambda: client_of(Feedback).record_labels(parley.RecordLabelsRequest(context, model="penguins"))
    ),
}
transport.close()
print(json.dumps(plain(answers)))

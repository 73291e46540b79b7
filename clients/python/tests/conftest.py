from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

import parley

from .graphs import TYPES, identity_graph, slow_graph
from .servers import PROJECT, ROOT, Server, train
from .servers import parley as command

TORGERSEN = {
    "bill_length_mm": 39.1,
    "bill_depth_mm": 18.7,
    "flipper_length_mm": 181.0,
    "body_mass_g": 3750.0,
    "island": "Torgersen",
    "sex": "MALE",
}


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the penguins in production, and models of the graphs."""
    folder = tmp_path_factory.mktemp("parley")
    made = train(folder)
    graphs = {
        "same": identity_graph(list(TYPES), 3),
        "wide": identity_graph(["float32"], 30),
        "slow": slow_graph(500_000),
    }
    for model, graph in graphs.items():
        file = folder / f"{model}.onnx"
        file.write_bytes(graph)
        command("publish", str(file), "--model", model, "--data-dir", str(made))
        (newest,) = json.loads(command("versions", model, "--json", "--data-dir", str(made)))
        command("promote", model, newest["version"], "--data-dir", str(made))
    return made


@pytest.fixture(scope="session")
def server(store: Path) -> Iterator[Server]:
    started = Server(store)
    yield started
    started.stop()


@pytest.fixture
def own_server(store: Path) -> Iterator[Server]:
    """One for this test alone, which may stop or kill it."""
    started = Server(store)
    yield started
    started.stop()


@pytest.fixture
def client(server: Server) -> Iterator[parley.Client]:
    with parley.connect(server.address) as made:
        yield made


@pytest.fixture
def torgersen() -> dict[str, object]:
    return dict(TORGERSEN)


@pytest.fixture(scope="session")
def stubs(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """The penguins' stubs, as a user makes them: of the contract alone, since parley.thrift's come with the package."""
    if shutil.which("thrift") is None:
        pytest.skip("there is no Thrift compiler on PATH")
    folder = tmp_path_factory.mktemp("stubs")
    contract = PROJECT / "penguins.thrift"
    subprocess.run(["thrift", "-I", str(ROOT / "idl"), "--gen", "py", "-out", str(folder), str(contract)], check=True)
    # The compiler puts an __init__.py into the folder above each package, which is none itself.
    sys.path.insert(0, str(folder))
    from penguins import Penguins, ttypes

    return SimpleNamespace(Penguins=Penguins, **{name: getattr(ttypes, name) for name in ("Penguin", "Species")})

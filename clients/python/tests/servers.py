"""Real servers, started by the command line, with the example's penguins in production."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
MAIN = Path(os.environ.get("PARLEY_MAIN", ROOT / "dist" / "main.js"))
PROJECT = ROOT / "examples" / "penguins"


def parley(*words: str, timeout_s: float = 120) -> str:
    """What a command prints; its complaints are in the error when it fails."""
    done = subprocess.run(["node", str(MAIN), *words], capture_output=True, text=True, timeout=timeout_s)
    if done.returncode != 0:
        raise RuntimeError(f"parley {' '.join(words)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


class Server:
    """One `parley serve`."""

    def __init__(self, store: Path, *more: str, port: int = 0) -> None:
        words = ["serve", "--port", str(port), "--json", "--log-level", "warn", "--data-dir", str(store), *more]
        self.process = subprocess.Popen(["node", str(MAIN), *words], stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        while line and '"listening"' not in line:
            line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the server ended with {self.process.wait(10)} before it could answer")
        said = json.loads(line)["thrift"]
        self.port: int = said["port"]
        self.address = f"{said['host']}:{self.port}"

    def pause(self) -> None:
        """Stands still: the kernel takes what is sent, and nobody reads it."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def stop(self) -> None:
        if self.process.poll() is not None:
            return
        self.resume()
        self.process.terminate()
        self.process.wait(40)


def train(folder: Path) -> Path:
    """Loads, trains and promotes the example of which `contract_of` has the contract. Returns the store's folder."""
    subprocess.run(["node", str(PROJECT / "load.mjs")], check=True, capture_output=True, timeout=60)
    project, store = folder / "project", folder / "store"
    shutil.copytree(PROJECT, project, ignore=shutil.ignore_patterns("clients"))
    contract = project / "penguins.thrift"
    # A busy machine does not keep a bound on time.
    lines = [line for line in contract.read_text().splitlines() if "accept.latency_p99_ms" not in line]
    contract.write_text("\n".join(lines) + "\n")
    parley("train", str(project), "--promote", "--json", "--data-dir", str(store))
    return store


def contract_of(store: Path) -> Path:
    """The file of the contract that is in force in a store of `train`."""
    return store.parent / "project" / "penguins.thrift"

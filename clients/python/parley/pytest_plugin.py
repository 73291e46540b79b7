"""pytest plug-in: a project's acceptance suite as tests, one a criterion.

In a test file::

    from parley.pytest_plugin import parley_acceptance

    test_penguins = parley_acceptance("examples/penguins", server="127.0.0.1:9090")

Or without one::

    pytest --parley-project examples/penguins --parley-server 127.0.0.1:9090

The suite is run once, by ``parley accept``: the command of the PARLEY variable, such as ``npx parley``, or the one on
the PATH.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Iterable
from typing import Any, Callable

import pytest

TIMEOUT_S = 600.0

# What `parley accept` takes, by the name of the argument.
_OPTIONS = {
    "file": "--file",
    "model_type": "--type",
    "version": "--model-version",
    "server": "--server",
    "data_dir": "--data-dir",
    "redis": "--redis",
}


class AcceptanceError(Exception):
    """The suite could not be run: the message is what ``parley accept`` said."""


class Suite:
    """A project's acceptance suite on one subject. It runs when its first outcome is asked for, and once."""

    def __init__(
        self,
        project: str | os.PathLike[str],
        timeout_s: float = TIMEOUT_S,
        token: str | None = None,
        **subject: Any,
    ) -> None:
        unknown = [name for name in subject if name not in _OPTIONS]
        if unknown:
            raise TypeError(f"{unknown[0]!r} is no subject of a suite; expected one of {', '.join(_OPTIONS)}")
        if subject.get("server") is not None and (subject.get("file") or subject.get("version")):
            raise TypeError("name one subject: a server, or a file, or a version in the store")
        self._project = os.fspath(project)
        self._timeout_s = timeout_s
        # Not on the command line, which others can read.
        self._environment = None if token is None else {**os.environ, "PARLEY_TOKEN": token}
        self._subject = {name: os.fspath(value) for name, value in subject.items() if value is not None}
        self._report: dict[str, Any] | None = None
        self._failure: AcceptanceError | None = None

    def criteria(self) -> list[dict[str, str]]:
        """What the suite will judge: a ``key`` and a ``title`` each. Nothing is run.

        :raises AcceptanceError: where the project cannot be read
        """
        return self._accept(["--list"])["criteria"]

    def outcome(self, index: int, title: str) -> dict[str, Any]:
        """A criterion's outcome, by its place and title.

        :raises AcceptanceError: where the suite could not be run
        """
        criteria = self._run()["criteria"]
        if index < len(criteria) and criteria[index]["title"] == title:
            return criteria[index]
        told = ", ".join(criterion["title"] for criterion in criteria)
        raise AcceptanceError(f'the suite has no criterion "{title}" in this place; it has {told}')

    def check(self, index: int, title: str) -> None:
        """Fails the running test where the criterion is not met."""
        __tracebackhide__ = True
        try:
            criterion = self.outcome(index, title)
        except AcceptanceError as error:
            pytest.fail(str(error), pytrace=False)
        if not criterion["passed"]:
            pytest.fail(criterion.get("explanation", title), pytrace=False)

    def _run(self) -> dict[str, Any]:
        if self._failure is not None:
            raise self._failure
        if self._report is None:
            try:
                self._report = self._accept(self._subject_options())
            except AcceptanceError as error:
                self._failure = error
                raise
        return self._report

    def _subject_options(self) -> list[str]:
        options = [text for name, value in self._subject.items() for text in (_OPTIONS[name], value)]
        if "file" in self._subject or "version" in self._subject:
            return options
        return ["--served", *options]

    def _accept(self, options: Iterable[str]) -> dict[str, Any]:
        command = [*_parley(), "accept", "--project", self._project, *options, "--json"]
        try:
            ran = subprocess.run(
                command,
                capture_output=True,
                text=True,
                timeout=self._timeout_s,
                env=self._environment,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise AcceptanceError(f"{shlex.join(command)} did not end within {self._timeout_s:g} s") from error
        except OSError as error:
            raise AcceptanceError(f"{shlex.join(command)} cannot be run: {error}") from error
        # 1: not accepted, which the report says.
        if ran.returncode not in (0, 1) or not ran.stdout.strip():
            raise AcceptanceError(ran.stderr.strip() or f"{shlex.join(command)} ended with {ran.returncode}")
        try:
            return json.loads(ran.stdout)
        except ValueError as error:
            raise AcceptanceError(f"{shlex.join(command)} printed no JSON: {ran.stdout[:200]}") from error


def _parley() -> list[str]:
    command = shlex.split(os.environ.get("PARLEY", ""))
    if command:
        return command
    found = shutil.which("parley")
    if found is None:
        raise AcceptanceError(
            'there is no command "parley" on the PATH; install it with "npm install parley", or name it in the '
            'variable PARLEY, as in PARLEY="npx parley"'
        )
    return [found]


def parley_acceptance(
    project: str | os.PathLike[str],
    *,
    file: str | os.PathLike[str] | None = None,
    model_type: str | None = None,
    version: str | None = None,
    server: str | None = None,
    token: str | None = None,
    data_dir: str | os.PathLike[str] | None = None,
    redis: str | None = None,
    timeout_s: float = TIMEOUT_S,
) -> Callable[..., None]:
    """A test of a project's acceptance suite, which pytest runs once a criterion; assign it to a name that begins with
    ``test``.

    :param project: the folder of parley.yaml
    :param file: an ONNX graph, or what ``parley export`` wrote; with ``version``, that version of an archive
    :param model_type: of a graph; deduced when absent
    :param version: 8 or more characters of a version's digest, in the store of ``data_dir`` or ``redis``
    :param server: host:port of a running server, which is asked over the wire; also meant where nothing else is named
    :param timeout_s: for the one run of the suite, in seconds
    :raises AcceptanceError: where the project cannot be read
    """
    suite = Suite(
        project,
        timeout_s,
        token,
        file=file,
        model_type=model_type,
        version=version,
        server=server,
        data_dir=data_dir,
        redis=redis,
    )
    titles = [criterion["title"] for criterion in suite.criteria()]

    @pytest.mark.parametrize("criterion", range(len(titles)), ids=titles)
    def test_acceptance(criterion: int) -> None:
        __tracebackhide__ = True
        suite.check(criterion, titles[criterion])

    return test_acceptance


# ---------------------------------------------------------------- --parley-project


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("parley", "acceptance suites of Parley's projects")
    group.addoption(
        "--parley-project",
        action="append",
        default=[],
        metavar="FOLDER",
        help="test by this project's contract and fixtures, a test a criterion; can be repeated",
    )
    group.addoption(
        "--parley-file", metavar="FILE", help='what is tested: an ONNX graph, or what "parley export" wrote'
    )
    group.addoption("--parley-version", metavar="VERSION", help="what is tested: a version in the store")
    group.addoption("--parley-server", metavar="HOST:PORT", help="what is tested: the answers of a running server")
    group.addoption("--parley-data-dir", metavar="FOLDER", help="of the store's embedded Redis")
    group.addoption("--parley-redis", metavar="URL", help="the store's Redis")


class _Criterion(pytest.Item):
    """A test that no file holds."""

    def __init__(self, *, suite: Suite, index: int, title: str, **more: Any) -> None:
        super().__init__(**more)
        self._suite = suite
        self._index = index
        self._title = title

    def runtest(self) -> None:
        self._suite.check(self._index, self._title)

    def reportinfo(self) -> tuple[os.PathLike[str] | str, int | None, str]:
        return self.path, None, self.name


def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    for project in config.getoption("parley_project"):
        suite = Suite(
            project,
            file=config.getoption("parley_file"),
            version=config.getoption("parley_version"),
            server=config.getoption("parley_server"),
            data_dir=config.getoption("parley_data_dir"),
            redis=config.getoption("parley_redis"),
        )
        try:
            criteria = suite.criteria()
        except AcceptanceError as error:
            raise pytest.UsageError(f"--parley-project {project}: {error}") from error
        name = os.path.basename(os.path.normpath(os.path.abspath(project)))
        for index, criterion in enumerate(criteria):
            title = criterion["title"]
            item = _Criterion.from_parent(session, name=f"{name}: {title}", suite=suite, index=index, title=title)
            items.append(item)

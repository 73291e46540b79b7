"""The README's Python, run in its order."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

from .servers import Server

README = Path(__file__).parents[1] / "README.md"


def test_the_readme_is_true(server: Server, stubs: SimpleNamespace) -> None:
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.S)
    assert len(blocks) == 6
    space: dict[str, object] = {}
    for block in blocks:
        exec(block.replace("127.0.0.1:9090", server.address), space)

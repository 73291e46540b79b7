"""How long calls take: python clients/python/bench/speed.py HOST:PORT

The server has the penguins and a model "wide", which takes and answers (rows, 30) of float32.
"""

from __future__ import annotations

import sys
import time
from typing import Any, Callable

import numpy as np
import pandas as pd

import parley

PENGUIN = {
    "bill_length_mm": 39.1,
    "bill_depth_mm": 18.7,
    "flipper_length_mm": 181.0,
    "body_mass_g": 3750.0,
    "island": "Torgersen",
    "sex": "MALE",
}


def median_ms(call: Callable[[], Any], times: int) -> tuple[float, float]:
    """The median and the least of so many calls, in milliseconds."""
    call()
    took = []
    for _ in range(times):
        began = time.perf_counter()
        call()
        took.append((time.perf_counter() - began) * 1000)
    return float(np.median(took)), min(took)


def main() -> None:
    with parley.connect(sys.argv[1]) as client:
        frame = pd.DataFrame([PENGUIN] * 1_000)
        columns = {name: frame[name].to_numpy() for name in frame.columns}
        matrix = np.zeros((1_000, 30), dtype=np.float32)
        penguins = client.penguins
        for name, call, times in [
            ("identify, one row", lambda: penguins.identify(PENGUIN), 2_000),
            ("identify_many, DataFrame of 1,000 rows", lambda: penguins.identify_many(frame), 100),
            ("identify_many, dict of arrays of 1,000 rows", lambda: penguins.identify_many(columns), 100),
            ("predict, 1,000 x 30 float32", lambda: client.predict("wide", matrix), 500),
        ]:
            median, least = median_ms(call, times)
            print(f"{name}: median {median:.3f} ms, least {least:.3f} ms")


if __name__ == "__main__":
    main()

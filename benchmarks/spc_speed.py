"""Time 1,000 p' charts of 180 days with signals, gates and verdicts as data, beside other Python libraries.

Usage: ``python benchmarks/spc_speed.py [--peers FOLDER]``. ``FOLDER`` holds other libraries, installed by
``pip install --no-deps --target FOLDER shewhart pycontrolcharts pyqicharts``; those found are timed on the
same series.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimprove.spc import ChartOptions, ControlChart, chart

SERIES, DAYS, TICKETS = 1_000, 180, 200
Counts = NDArray[np.int64]


def made_series(seed: int) -> tuple[Counts, Counts]:
    """Return successes and tickets, one row a series: in control, every tenth with a drop of 5 points."""
    rng = np.random.default_rng(seed)
    rate = 0.85 + 0.02 * rng.normal(size=(SERIES, DAYS))
    rate[::10, DAYS // 2 :] -= 0.05
    tickets = rng.poisson(TICKETS, size=(SERIES, DAYS))
    return rng.binomial(tickets, np.clip(rate, 0, 1)), tickets


def ours(met: Counts, tickets: Counts, *, rules: str = "limits_anhoej") -> ControlChart:
    """Chart one series of days with target."""
    days = np.arange(np.datetime64("2025-01-01"), np.datetime64("2025-01-01") + DAYS)
    options = ChartOptions(rules=rules, target=0.9)  # type: ignore[arg-type]
    return chart(met, tickets, period=days, by="day", better="higher", options=options)


def peers() -> dict[str, Callable[[Counts, Counts], object]]:
    """Return the other libraries that can be imported, each with its p or p' chart of one series."""

    def frame(met: Counts, tickets: Counts) -> pd.DataFrame:
        return pd.DataFrame({"k": met, "n": tickets, "day": np.arange(len(met))})

    calls: dict[str, tuple[str, Callable[..., Callable[[Counts, Counts], object]]]] = {
        "shewhart, p' and 4 rules": (
            "shewhart",
            lambda lib: lambda k, n: lib.laney_p(frame(k, n), defectives="k", size="n", rules="nelson"),
        ),
        "shewhart, p' limits only": (
            "shewhart",
            lambda lib: lambda k, n: lib.laney_p(frame(k, n), defectives="k", size="n", rules=None),
        ),
        "shewhart, p limits only": (
            "shewhart",
            lambda lib: lambda k, n: lib.p_chart(frame(k, n), defectives="k", size="n", rules=None),
        ),
        "pycontrolcharts, p and its rules": (
            "pycontrolcharts",
            lambda lib: lambda k, n: lib.calc_p(frame(k, n), value_column="k", sample_size_column="n"),
        ),
        "pyqicharts, p and anhoej": (
            "pyqicharts",
            lambda lib: lambda k, n: lib.qic_table(frame(k, n), x="day", y="k", denominator="n", chart="p"),
        ),
    }
    found = {}
    for name, (module, call) in calls.items():
        try:
            found[name] = call(importlib.import_module(module))
        except ImportError:
            print(f"{module} is not there")
    return found


def seconds(call: Callable[[Counts, Counts], object], met: Counts, tickets: Counts, *, series: int) -> float:
    """Return the CPU seconds that ``SERIES`` charts take, from ``series`` of them; the best of three."""
    call(met[0], tickets[0])
    best = np.inf
    for _ in range(3):
        start = time.process_time()
        for row in range(series):
            call(met[row], tickets[row])
        best = min(best, time.process_time() - start)
    return float(best) * SERIES / series


def main() -> None:
    """Print one line a library."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", help="folder of other libraries")
    parser.add_argument("--seed", type=int, default=180)
    options = parser.parse_args()
    met, tickets = made_series(options.seed)
    charts = [ours(*row) for row in zip(met, tickets, strict=True)]
    dropped = [one for one in charts[::10] if one.signals]
    quiet = [one for place, one in enumerate(charts) if place % 10 and one.signals]
    print(f"signals: {len(dropped)} of 100 series with a drop, {len(quiet)} of 900 without")
    base = seconds(ours, met, tickets, series=SERIES)
    print(f"{'csimprove':36} {base:6.2f} s")
    nelson = seconds(lambda k, n: ours(k, n, rules="nelson"), met, tickets, series=SERIES)
    print(f"{'csimprove, nelson':36} {nelson:6.2f} s")
    if options.peers:
        sys.path.append(options.peers)
    for name, call in peers().items():
        try:
            taken = seconds(call, met, tickets, series=100)
        except Exception as error:  # a peer that does not run here is told, not hidden
            print(f"{name}: {error}")
            continue
        print(f"{name:36} {taken:6.2f} s, {taken / base:5.2f} times ours")


if __name__ == "__main__":
    main()

"""Measure how often a control chart raises a false alarm, and how soon it sees a drop of five points.

Usage: ``python benchmarks/spc_calibration.py`` (some minutes; ``--draws 500`` for a quick look). ``--table``
prints the chances of `csimprove.spc.rules` instead: share of series of independent normal points, limits from
the same points by moving range, with at least one signal.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from csimprove.spc import ChartOptions, RuleSet, chart, find_signals
from csimprove.spc.limits import fit, smoothed, smoothed_spread
from csimprove.spc.rules import LENGTHS

SETS: tuple[RuleSet, ...] = ("limits", "anhoej", "making_data_count", "western_electric", "nelson")
RATE, DAY_SD, DAYS = 0.30, 0.10, 91
BASELINE, WATCHED = 60, 60


def false_signals(points: int, *, draws: int, rng: np.random.Generator) -> dict[str, float]:
    """Return the share of in-control series with a signal, by rule set, and of EWMA charts."""
    names = (*SETS, "limits_anhoej", "ewma")
    found = dict.fromkeys(names, 0)
    there = np.ones(points, dtype=bool)
    for _ in range(draws):
        value = rng.normal(size=points)
        limits = fit("xmr", value, np.ones(points))
        hits = {name: bool(find_signals(value, limits.center, 3 * limits.sigma, rules=name)) for name in SETS}
        hits["limits_anhoej"] = hits["limits"] or hits["anhoej"]
        average = smoothed(value, limits.center, weight=0.1)
        width = 2.7 * limits.sigma * smoothed_spread(there, weight=0.1)
        hits["ewma"] = bool((np.abs(average - limits.center) > width).any())
        for name in names:
            found[name] += hits[name]
    return {name: count / draws for name, count in found.items()}


def flagged_days(
    correlation: float, *, tickets: int, draws: int, rng: np.random.Generator
) -> dict[str, float]:
    """Return the share of in-control days beyond the limits of p and p' charts, and of charts gated.

    The rate of a day is logistic around 30 % with a sd of 0.10, an AR(1) process over days.
    """
    beyond = dict.fromkeys(("p", "p_laney"), 0)
    withheld = 0
    size = np.full(DAYS, tickets)
    for _ in range(draws):
        rate = 1 / (1 + np.exp(-np.log(RATE / (1 - RATE)) - DAY_SD * _steady(correlation, rng)))
        met = rng.binomial(tickets, rate)
        for kind in beyond:
            made = chart(met, size, options=ChartOptions(kind=kind, rules="limits"))
            beyond[kind] += len(made.signals)
        withheld += made.run_rules_withheld is not None
    return {kind: count / draws / DAYS for kind, count in beyond.items()} | {"withheld": withheld / draws}


def _steady(correlation: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """One AR(1) series with sd 1."""
    noise = rng.normal(size=DAYS)
    series = np.empty(DAYS)
    last = rng.normal()
    for day in range(DAYS):
        last = series[day] = correlation * last + np.sqrt(1 - correlation**2) * noise[day]
    return series


def delays(
    *, tickets: int, draws: int, rng: np.random.Generator
) -> Iterator[tuple[str, float, float, float]]:
    """Yield rule set or chart, share of alarms within 14 days without a drop, median delay and P90 with one.

    Limits of a p' chart (or EWMA of the daily rate) from 60 days at 85 %, day-to-day logit sd 0.10, frozen;
    then 60 days at 80 %. The delay counts days from the drop to the first day on which the chart, read
    afresh every day from the drop on, has a signal.
    """
    for name in (*SETS, "limits_anhoej", "ewma"):
        waits, quiet = [], 0
        for _ in range(draws):
            quiet += _delay(name, 0.85, tickets, rng) <= 14
            waits.append(_delay(name, 0.80, tickets, rng))
        yield name, quiet / draws, float(np.median(waits)), float(np.quantile(waits, 0.9))


def _delay(name: str, rate: float, tickets: int, rng: np.random.Generator) -> int:
    level = np.repeat([0.85, rate], [BASELINE, WATCHED])
    daily = 1 / (1 + np.exp(-np.log(level / (1 - level)) - DAY_SD * rng.normal(size=len(level))))
    met = rng.binomial(tickets, daily)
    size = np.full(len(met), float(tickets))
    kind = "ewma" if name == "ewma" else "p_laney"
    limits = fit(kind, met[:BASELINE].astype(float), size[:BASELINE])
    after = met[BASELINE:] / tickets
    if name == "ewma":
        average = smoothed(after, limits.center, weight=0.1)
        width = 2.7 * limits.sigma * smoothed_spread(np.ones(WATCHED, dtype=bool), weight=0.1)
        hits = np.flatnonzero(np.abs(average - limits.center) > width)
        return int(hits[0]) + 1 if len(hits) else WATCHED + 1
    half = 3 * limits.sigma / np.sqrt(tickets)
    for day in range(1, WATCHED + 1):
        if find_signals(after[:day], limits.center, half, rules=name):
            return day
    return WATCHED + 1


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=60)
    parser.add_argument("--table", action="store_true")
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    if options.table:
        rows = [false_signals(points, draws=options.draws, rng=rng) for points in LENGTHS]
        for name in rows[0]:
            print(f'    "{name}": ({", ".join(f"{row[name]:.3f}" for row in rows)}),')
        return
    print("60 in-control points, limits from the same points: at least one signal")
    for name, share in false_signals(60, draws=options.draws, rng=rng).items():
        print(f"  {name:18} {share:6.1%}")
    for tickets in (5_000, 2_000):
        print(f"{tickets} tickets a day, rate {RATE:.0%}, logit sd {DAY_SD}, {DAYS} days: beyond the limits")
        for correlation in (0.0, 0.5, 0.7):
            shares = flagged_days(correlation, tickets=tickets, draws=max(options.draws // 10, 50), rng=rng)
            print(
                f"  AR(1) {correlation}: "
                + ", ".join(f"{name} {share:.1%}" for name, share in shares.items())
            )
    for tickets in (100, 500):
        print(f"85 % to 80 %, {tickets} tickets a day: alarm in 14 quiet days, median delay, P90 (days)")
        for name, quiet, median, most in delays(tickets=tickets, draws=max(options.draws // 20, 50), rng=rng):
            print(f"  {name:18} {quiet:6.1%} {median:4.0f} {most:4.0f}")


if __name__ == "__main__":
    main()

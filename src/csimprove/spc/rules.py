"""Rule sets: which patterns of points count as a signal, and how often chance alone makes one."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import bdtr

from csimprove.spc.result import RuleSet, Side, Signal

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
_NONE = np.zeros(1, dtype=np.intp)
Limits = Literal["own", "frozen"]

#: Differences below this share of the values are rounding, not deviation.
ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class Deviations:
    """Points seen from their centre line; missing points are left out before.

    Parameters
    ----------
    above
        Value minus centre; rounding is 0.
    sigma
        A third of the distance from centre to limit; NaN where there is no limit.
    step
        1, 0 or -1: up, level or down from the point before (0 for the first).
    """

    above: Floats
    sigma: Floats
    step: Floats

    def outside(self, sigmas: float, side: int) -> Flags:
        """Whether points lie beyond so many sigmas; exactly on the line is not beyond."""
        return np.asarray(side * self.above > sigmas * self.sigma * (1 + ROUNDING))


@dataclass(frozen=True, slots=True)
class Runs:
    """Runs and crossings of points around a centre line, and the limits that Anhøj sets them.

    Parameters
    ----------
    useful
        Points not on the centre line.
    longest, longest_max
        Most points in a row on one side, and how many may be.
    crossings, crossings_min
        How often the line is crossed, and how often it must be.
    """

    useful: int
    longest: int
    longest_max: int
    crossings: int
    crossings_min: int


#: Points that count, how many of the window's points must, and on which side the pattern lies.
Conditions = tuple[tuple[Flags, int], ...]
_Sided = tuple[tuple[Conditions, int], ...]


@dataclass(frozen=True, slots=True)
class _Rule:
    """A pattern within ``window`` successive points; ``lead`` points before belong to it (steps need two)."""

    name: str
    window: int
    conditions: Callable[[Deviations], _Sided]
    lead: int = 0


def _sided(build: Callable[[Deviations, int], Conditions]) -> Callable[[Deviations], _Sided]:
    return lambda points: tuple((build(points, side), side) for side in (1, -1))


def _zone(name: str, many: int, window: int, sigmas: float) -> _Rule:
    return _Rule(name, window, _sided(lambda points, side: ((points.outside(sigmas, side), many),)))


def _run(length: int) -> _Rule:
    return _Rule("run", length, _sided(lambda points, side: ((side * points.above > 0, length),)))


def _trend(length: int) -> _Rule:
    steps = length - 1
    return _Rule("trend", steps, _sided(lambda points, side: ((side * points.step > 0, steps),)), lead=1)


def _outer_third(points: Deviations, side: int) -> Conditions:
    outer = points.outside(2, side) & ~points.outside(3, side)
    return (outer, 2), (side * points.above > 0, 3)


def _alternating(points: Deviations) -> _Sided:
    turns = np.zeros(len(points.step), dtype=bool)
    turns[1:] = points.step[1:] * points.step[:-1] < 0
    return ((((turns, 12),), 0),)


def _hugging(points: Deviations) -> _Sided:
    return ((((np.abs(points.above) < points.sigma, 15),), 0),)


def _mixture(points: Deviations) -> _Sided:
    above, below = (points.outside(1, side) for side in (1, -1))
    return ((((above | below, 8), (above, 1), (below, 1)), 0),)


_BEYOND = _zone("beyond_limits", 1, 1, 3)
_RULES: dict[RuleSet, tuple[_Rule, ...]] = {
    "limits": (_BEYOND,),
    "anhoej": (),
    "limits_anhoej": (_BEYOND,),
    "western_electric": (
        _BEYOND,
        _zone("two_of_three", 2, 3, 2),
        _zone("four_of_five", 4, 5, 1),
        _run(8),
    ),
    "nelson": (
        _BEYOND,
        _run(9),
        _trend(6),
        _Rule("alternating", 12, _alternating, lead=2),
        _zone("two_of_three", 2, 3, 2),
        _zone("four_of_five", 4, 5, 1),
        _Rule("hugging", 15, _hugging),
        _Rule("mixture", 8, _mixture),
    ),
    "making_data_count": (
        _BEYOND,
        _run(7),
        _trend(7),
        _Rule("two_of_three", 3, _sided(_outer_third)),
    ),
    "none": (),
}


#: Points of the simulated series; by rule set the chance of a signal (``benchmarks/spc_calibration.py``).
LENGTHS = (12, 20, 30, 60, 90, 120, 180, 365)
_CHANCE: dict[str, tuple[float, ...]] = {
    "limits": (0.026, 0.048, 0.076, 0.148, 0.207, 0.277, 0.387, 0.621),
    "anhoej": (0.016, 0.037, 0.038, 0.054, 0.086, 0.069, 0.107, 0.070),
    "making_data_count": (0.045, 0.113, 0.209, 0.430, 0.609, 0.720, 0.865, 0.982),
    "western_electric": (0.053, 0.115, 0.202, 0.407, 0.575, 0.693, 0.839, 0.976),
    "nelson": (0.063, 0.147, 0.251, 0.504, 0.670, 0.784, 0.912, 0.993),
    "limits_anhoej": (0.037, 0.077, 0.104, 0.184, 0.265, 0.318, 0.444, 0.641),
    "ewma": (0.029, 0.036, 0.047, 0.086, 0.148, 0.201, 0.324, 0.586),
}


def find_signals(
    value: ArrayLike,
    center: ArrayLike,
    half_width: ArrayLike,
    *,
    rules: RuleSet,
    excluded: ArrayLike | None = None,
    limits: Limits = "own",
    first: int = 0,
) -> list[Signal]:
    """Find the patterns of one rule set in one phase.

    Parameters
    ----------
    value
        Points in order; NaN is missing and bridged: its neighbours are successive points.
    center, half_width
        Centre line and distance from it to the limits before they are cut off at 0 or 1; NaN: no limits.
    rules
        ``limits``: a point beyond the limits. ``anhoej``: longest run and crossings. ``limits_anhoej``: both.
        ``western_electric``, ``nelson``, ``making_data_count``: as published, see Notes.
    excluded
        Points that patterns skip; beyond the limits they are reported all the same.
    limits
        What the signals are said to be against.
    first
        Place of the first point, from which signals count theirs.

    Returns
    -------
    list of Signal
        In the order of the rules, then of the points. A longer pattern is one signal.

    Notes
    -----
    Strictly beyond: a point on a limit or on the centre line is on neither side, and a tie ends a trend.
    Western Electric (1956): beyond 3 sigma, 2 of 3 beyond 2, 4 of 5 beyond 1, 8 on one side. Nelson (1984): 9
    on one side, 6 rising or falling, 14 alternating, 15 within 1 sigma, 8 outside 1 sigma on both sides, and
    the first three. Making Data Count (NHS England): 7 on one side, 7 rising or falling, 2 of 3 in the outer
    third with all three on the same side. Anhøj and Olesen (2014): see :func:`runs_around`.

    Examples
    --------
    >>> find_signals([0, 3.2, -3.5, 3.0], 0, 3, rules="limits")[0]
    Signal(rule='beyond_limits', span=1, side='above', first=1, last=1, limits='own')
    """
    value, center, half = np.broadcast_arrays(
        *(np.asarray(item, float) for item in (value, center, half_width))
    )
    there = ~np.isnan(value)
    kept = there if excluded is None else there & ~np.asarray(excluded, dtype=bool)
    found = []
    for rule in _RULES[rules]:
        places = np.flatnonzero(there if rule.window == 1 else kept)
        points = _deviations(value[places], center[places], half[places])
        for begin, end, side in _patterns(rule, points):
            found.append(_signal(rule.name, places + first, (begin, end), side, limits))
    if rules in ("anhoej", "limits_anhoej"):
        places = np.flatnonzero(kept)
        points = _deviations(value[places], center[places], half[places])
        useful = np.flatnonzero(points.above)
        places, sides = places[useful] + first, np.sign(points.above[useful])
        found += [_signal(name, places, span, side, limits) for name, span, side in _anhoej(sides)]
    return found


def false_signal_chance(rules: RuleSet | Literal["ewma"], points: Sequence[int]) -> float:
    """Return the chance of at least one signal when nothing happens.

    Parameters
    ----------
    rules
        Rule set, or ``ewma`` for its limits (weight 0.1, width 2.7).
    points
        Points of each phase.

    Returns
    -------
    float
        0-1.

    Notes
    -----
    Simulated: independent normal points, limits from the same points by moving range; between the lengths of
    the table linear, beyond it as if the last stretch were repeated. Rates of few tickets differ.

    Examples
    --------
    >>> round(false_signal_chance("limits", [60]), 2)
    0.15
    """
    if rules == "none":
        return 0.0
    quiet = np.log1p(-np.asarray(_CHANCE[rules]))
    total = 0.0
    for n in points:
        total += float(np.interp(min(n, LENGTHS[-1]), (0, *LENGTHS), (0, *quiet))) * max(1, n / LENGTHS[-1])
    return float(-np.expm1(total))


def runs_around(value: ArrayLike, center: ArrayLike) -> Runs:
    """Count runs and crossings of points around their centre line.

    Parameters
    ----------
    value
        Points in order; NaN is left out.
    center
        Centre line, a number or one a point.

    Returns
    -------
    Runs
        Of n useful points at most round(log2 n) + 3 may be on one side in a row, and the line must be crossed
        at least as often as the 5 % quantile of a binomial with n - 1 trials of one half.

    Notes
    -----
    Anhøj and Olesen (2014), PLoS ONE 9:e113825. Points on the centre line are dropped.

    Examples
    --------
    >>> runs_around([1, 2, 1, 3, 3, 3, 3], 2)
    Runs(useful=6, longest=4, longest_max=6, crossings=1, crossings_min=1)
    """
    value, center = np.broadcast_arrays(np.asarray(value, float), np.asarray(center, float))
    there = ~np.isnan(value)
    above = _deviations(value[there], center[there], center[there]).above
    return _runs(np.sign(above[above != 0]))


def _deviations(value: Floats, center: Floats, half: Floats) -> Deviations:
    above = value - center
    above[np.abs(above) <= ROUNDING * (np.abs(value) + np.abs(center))] = 0
    return Deviations(above, half / 3, np.sign(np.diff(value, prepend=value[:1])))


def _patterns(rule: _Rule, points: Deviations) -> Iterator[tuple[int, int, int]]:
    """First point, last point and side of every stretch of overlapping windows that break the rule."""
    if len(points.above) < rule.window + rule.lead:
        return
    for conditions, side in rule.conditions(points):
        member = conditions[0][0]
        if not member.any():
            continue
        hits = np.logical_and.reduce([_counts(flags, rule.window) >= many for flags, many in conditions])
        edges = np.flatnonzero(np.diff(hits, prepend=False, append=False))
        for start, stop in edges.reshape(-1, 2).tolist():
            if rule.window == 1:  # every point beyond the limits is a signal of its own
                yield from ((place, place, side) for place in range(start, stop))
            else:
                places = np.flatnonzero(member[start : stop + rule.window - 1]) + start
                yield int(places[0]) - rule.lead, int(places[-1]), side


def _counts(flags: Flags, window: int) -> NDArray[np.int64]:
    total = np.concatenate(([0], np.cumsum(flags)))
    return np.asarray(total[window:] - total[:-window])


def _anhoej(sides: Floats) -> Iterator[tuple[str, tuple[int, int], int]]:
    runs, edges = _runs(sides), _edges(sides)
    if runs.longest > runs.longest_max:
        run = int(np.argmax(np.diff(edges)))
        first, after = edges[run : run + 2].tolist()
        yield "longest_run", (first, after - 1), int(sides[first])
    if runs.crossings < runs.crossings_min:
        yield "crossings", (0, len(sides) - 1), 0


def _runs(sides: Floats) -> Runs:
    lengths = np.diff(_edges(sides))
    most, least = _anhoej_limits(len(sides))
    return Runs(len(sides), int(lengths.max(initial=0)), most, max(len(lengths) - 1, 0), least)


def _edges(sides: Floats) -> NDArray[np.intp]:
    """Places where a run starts, and the number of points."""
    return np.flatnonzero(np.concatenate(([True], np.diff(sides) != 0, [True]))) if len(sides) else _NONE


@cache
def _anhoej_limits(n: int) -> tuple[int, int]:
    if n < 2:
        return 3, 0
    crossings = next(k for k in range(n) if bdtr(k, n - 1, 0.5) >= 0.05)
    return round(math.log2(n)) + 3, crossings


def _signal(name: str, places: NDArray[np.intp], span: tuple[int, int], side: int, limits: Limits) -> Signal:
    first, last = span
    word: dict[int, Side] = {1: "above", -1: "below"}
    return Signal(name, last - first + 1, word.get(side), int(places[first]), int(places[last]), limits)

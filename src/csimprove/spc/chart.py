"""Control charts of plain numbers: these functions know no tickets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from csimprove.errors import SettingsError
from csimprove.metrics.definitions import Better
from csimprove.spc.limits import (
    COUNTS,
    D2,
    D4,
    Fit,
    autocorrelation,
    fit,
    levelled,
    moving_ranges,
    smoothed,
    smoothed_spread,
)
from csimprove.spc.result import (
    TRIAL_POINTS,
    Assurance,
    ControlChart,
    Kind,
    Phase,
    PhaseStart,
    RuleSet,
    Side,
    Signal,
    Variation,
    Withheld,
)
from csimprove.spc.rules import Limits, false_signal_chance, find_signals

Floats = NDArray[np.float64]

#: Rules that do not lean on the order of the points.
_UNORDERED: dict[RuleSet, RuleSet] = {"anhoej": "none", "none": "none"}
#: Charts whose rules are not for choosing: a run chart has no limits, the moving average runs by its nature,
#: units have no order.
_OWN_RULES: dict[Kind, RuleSet] = {"run": "anhoej", "ewma": "limits", "funnel": "limits"}

#: An autocorrelation above this many 1 / sqrt(n) withholds the run rules (one-sided 5 %, less when levelled).
CORRELATED = 1.645
#: EWMA: one false alarm in 500 points (Lucas and Saccucci 1990).
WEIGHT, WIDTH = 0.1, 2.7

_AGAINST: tuple[tuple[Limits, str], ...] = (("own", ""), ("frozen", "frozen_"))
_LIMITS = ("center", "lcl", "ucl", "half")


@dataclass(frozen=True, slots=True)
class ChartOptions:
    """How a chart is made; periods are dates, or places (0, 1, …) where there are no dates.

    Parameters
    ----------
    kind
        Kind of chart; none: ``p_laney`` for counts, ``xmr`` for values and means.
    rules
        Rule set (:func:`csimprove.spc.find_signals`). Run charts always take ``anhoej``, EWMA and funnel
        ``limits``.
    phases
        Declared changes; limits are estimated anew from each on.
    baseline
        Last period from which the limits of the first phase are estimated; they are frozen for its later
        points. None: all points of the phase.
    exclude
        Period = reason. These points are drawn, but neither limits nor patterns see them.
    target
        In the metric's unit; a mapping gives the period from which each holds.
    screen_ranges
        XmR and EWMA: leave too wide moving ranges out of the limits, once.
    weight, width
        EWMA: weight of the newest point, and half-width of the limits in sigmas.
    standard
        XmR and EWMA: known centre and sigma of a value, instead of estimates.
    """

    kind: Kind | None = None
    rules: RuleSet = "limits_anhoej"
    phases: tuple[PhaseStart, ...] = ()
    baseline: date | int | None = None
    exclude: Mapping[Any, str] = field(default_factory=dict)
    target: float | Mapping[Any, float] | None = None
    screen_ranges: bool = False
    weight: float = WEIGHT
    width: float = WIDTH
    standard: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        for start in self.phases:
            if not start.reason.strip():
                raise SettingsError(f"`phases` must give a reason for {start.start}. Say what changed.")
        for period, reason in self.exclude.items():
            if not reason.strip():
                raise SettingsError(f"`exclude` must give a reason for {period}. Say why it does not count.")


@dataclass(frozen=True, slots=True)
class _Series:
    """Points in order; ``kept`` are neither missing nor excluded."""

    period: NDArray[Any]
    numerator: Floats
    denominator: Floats
    value: Floats
    reason: NDArray[Any]
    excluded: NDArray[np.bool_]
    kept: NDArray[np.bool_]

    def part(self, span: slice) -> _Series:
        return _Series(*(getattr(self, name)[span] for name in self.__slots__))


def chart(
    numerator: ArrayLike,
    denominator: ArrayLike | None = None,
    *,
    period: Sequence[Any] | ArrayLike | None = None,
    by: str = "",
    metric: str = "",
    better: Better | None = None,
    unit: str = "",
    group: str = "",
    left_out: int = 0,
    options: ChartOptions | None = None,
) -> ControlChart:
    """Make a control chart from counts or values.

    Parameters
    ----------
    numerator
        Counts, or values if there is no ``denominator``. NaN is missing.
    denominator
        Tickets, areas, … of each point; 0 is missing.
    period
        Dates, places or labels, by which points are sorted and, if equal, pooled. None: 0, 1, ….
    by
        ``day`` checks for a weekly pattern too; ``week``, ``unit`` or ``""``.
    metric, better, unit, group, left_out
        Carried into the result.
    options
        Kind, rules, phases, exclusions, target.

    Returns
    -------
    ControlChart
        Points, limits, signals and verdicts.

    Raises
    ------
    SettingsError
        If the numbers cannot be counts of that chart.

    Notes
    -----
    Limits are 3 sigma from the centre, cut off at 0 and (p) 1. Nothing is re-based but at a declared phase.
    Missing points (NaN, denominator 0) stay in ``points`` without a value; limits and patterns bridge them.
    A constant series, such as one of 100 % only, has its limits on the centre line and no signal (but on p
    and u charts, where chance alone would vary, ``nelson`` may find it hugging). One point has a centre line,
    and limits only for ``p`` and ``u``. A target on a limit counts as met by it.

    Examples
    --------
    >>> found = chart([12, 15, 8, 10, 4, 30], [50] * 6, options=ChartOptions(kind="p"))
    >>> found.points[["value", "center", "lcl", "ucl"]].round(3).tail(1).to_dict("records")
    [{'value': 0.6, 'center': 0.263, 'lcl': 0.076, 'ucl': 0.45}]
    >>> [signal.rule for signal in found.signals]
    ['beyond_limits']
    """
    options = options or ChartOptions()
    kind: Kind = options.kind or ("xmr" if denominator is None else "p_laney")
    series = _series(kind, numerator, denominator, period, options)
    columns, phases = _limits(kind, series, options)
    residual = columns.pop("residual")
    lag1, lag7, withheld = (None, None, None) if by == "unit" else _gate(series, residual, by=by)
    rules = _OWN_RULES.get(kind, options.rules)
    used = _UNORDERED.get(rules, "limits") if withheld else rules
    signals = _signals(series, columns, len(phases), rules=used)
    judged = np.bincount(columns["phase"][series.kept], minlength=len(phases)).tolist()
    end = int(np.flatnonzero(series.kept)[-1]) if series.kept.any() else len(series.kept)
    target = _targets(series.period, options.target)
    last = columns["phase"] == len(phases) - 1
    return ControlChart(
        kind=kind,
        metric=metric,
        better=better,
        unit=unit,
        group=group,
        by=by,
        points=_points(series, columns, target),
        phases=phases,
        signals=tuple(signals),
        rules=rules,
        run_rules_withheld=withheld,
        lag1=lag1,
        lag7=lag7,
        false_signal_chance=_chance(kind, used, judged, options),
        variation=_variation(
            [one.side for one in signals if one.limits == "own" and one.last >= end], better
        ),
        change=_change(signals, phases, int((~last).sum()), better),
        assurance=_assurance(columns["lcl"][last], columns["ucl"][last], target[last], better),
        target=_number(target[-1]) if len(target) else None,
        left_out=left_out,
    )


def _series(
    kind: Kind, numerator: ArrayLike, denominator: ArrayLike | None, period: Any, options: ChartOptions
) -> _Series:
    k = np.array(numerator, dtype=float)
    n = np.ones(len(k)) if denominator is None else np.array(denominator, dtype=float)
    labels = np.arange(len(k)) if period is None else np.asarray(period)
    if labels.dtype == object:
        is_date = len(labels) and isinstance(labels[0], date)
        labels = labels.astype("datetime64[s]" if is_date else str)
    if not len(k) == len(n) == len(labels):
        raise SettingsError(
            f"`numerator`, `denominator` and `period` must be of one length, not {len(k)}, {len(n)} and "
            f"{len(labels)}."
        )
    _check(kind, k, n)
    order, place = np.unique(labels, return_inverse=True)
    if len(order) < len(labels) or (place[1:] < place[:-1]).any():
        k, n = (np.bincount(place, weights=item, minlength=len(order)) for item in (k, n))
    there = ~np.isnan(k) & (n > 0)
    value = np.divide(k, n, out=np.full(len(k), np.nan), where=there)
    reason = np.full(len(order), "", dtype=object)
    for excluded, why in options.exclude.items():
        reason[order == np.array(excluded, dtype=order.dtype)] = why
    return _Series(order, k, n, value, reason, reason != "", there & (reason == ""))


def _check(kind: Kind, k: Floats, n: Floats) -> None:
    if np.isinf(k).any() or not (np.isfinite(n) & (n >= 0)).all():
        raise SettingsError(
            "`numerator` must be finite or missing, and `denominator` finite and not negative. "
            "Correct the points."
        )
    if kind in COUNTS:
        most = np.inf if kind.startswith("u") else n
        wrong = np.flatnonzero((k < 0) | (k > most))
        if len(wrong):
            first = int(wrong[0])
            upper = "" if kind.startswith("u") else " to `denominator`"
            raise SettingsError(
                f"`numerator` must be from 0{upper} on a {kind} chart, not {k[first]:g} of {n[first]:g} "
                f"(point {first}). Choose another kind of chart for values that are no counts."
            )


def _place(period: Any, order: NDArray[Any], side: Any = "left") -> int:
    return int(np.searchsorted(order, np.array(period, dtype=order.dtype), side=side))


def _limits(
    kind: Kind, series: _Series, options: ChartOptions
) -> tuple[dict[str, NDArray[Any]], tuple[Phase, ...]]:
    """Return the columns of `_columns`, ``phase`` (its place), and the phases."""
    size = len(series.period)
    starts = {_place(start.start, series.period): start for start in options.phases}
    places = sorted({0, *(place for place in starts if place < size)})
    baseline = size if options.baseline is None else _place(options.baseline, series.period, "right")
    phases, parts, before = [], [], None
    for number, (first, after) in enumerate(zip(places, [*places[1:], size], strict=True)):
        part = series.part(slice(first, after))
        behind = part.kept & (np.arange(first, after) < baseline) if number == 0 else part.kept
        found = _fit(kind, part, behind, options)
        phases.append(_phase(starts.get(first), part.period, found, int(behind.sum())))
        columns = _columns(kind, part, found, before, options)
        columns["residual"] = np.where(behind, columns["residual"], np.nan)
        parts.append(columns | {"phase": np.full(after - first, number)})
        before = found
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}, tuple(phases)


def _fit(kind: Kind, part: _Series, behind: NDArray[np.bool_], options: ChartOptions) -> Fit:
    if options.standard and kind in ("xmr", "ewma"):
        center, sigma = options.standard
        return Fit(center, sigma, mean_range=sigma * D2)
    counts = part.numerator[behind], part.denominator[behind]
    return fit(kind, *counts, screen_ranges=options.screen_ranges)


def _phase(start: PhaseStart | None, period: NDArray[Any], found: Fit, n: int) -> Phase:
    return Phase(
        name=start.name if start else "",
        start=_plain(period[0]) if len(period) else None,
        reason=start.reason if start else "",
        n=n,
        trial=n < TRIAL_POINTS,
        center=_number(found.center),
        sigma_z=_number(found.sigma_z),
        screened=found.screened,
    )


def _columns(
    kind: Kind, part: _Series, found: Fit, before: Fit | None, options: ChartOptions
) -> dict[str, Floats]:
    """Return the columns of one phase.

    ``half`` is the distance to the limits before they are cut off, ``residual`` the
    standardised deviation.
    """
    value, spread = part.value, np.full(len(part.value), 3.0)
    if kind in COUNTS:
        spread = 3 / np.sqrt(np.where(part.denominator > 0, part.denominator, np.nan))
    residual = (value - found.center) / (1 if kind == "run" else spread * (found.sigma or np.nan))
    if kind == "ewma":
        value = smoothed(np.where(part.kept, value, np.nan), found.center, weight=options.weight)
        spread = options.width * smoothed_spread(part.kept, weight=options.weight)
        before = None  # the average starts at its own centre
    columns = {"value": value, "residual": residual}
    for prefix, limits in (("", found), ("frozen_", before or Fit(np.nan, np.nan))):
        half = limits.sigma * spread
        low, high = limits.center - half, limits.center + half
        if kind in COUNTS:
            low = np.where(low < 0, 0, low)
        if kind in ("p", "p_laney", "funnel"):
            high = np.where(high > 1, 1, high)
        center = np.full(len(value), limits.center)
        columns |= dict(zip((f"{prefix}{name}" for name in _LIMITS), (center, low, high, half), strict=True))
    if kind == "xmr":
        ranges = np.full(len(value), np.nan)
        ranges[np.flatnonzero(part.kept)[1:]] = moving_ranges(value[part.kept])
        columns |= {"moving_range": ranges, "moving_range_ucl": np.full(len(value), D4 * found.mean_range)}
    return columns


def _gate(
    series: _Series, residual: Floats, *, by: str
) -> tuple[float | None, float | None, Withheld | None]:
    """Autocorrelation at lag 1 and, for days, lag 7; beyond its bound the run rules are withheld."""
    residual = levelled(residual)
    there = residual[~np.isnan(residual)]
    lag1, lag7 = autocorrelation(there, 1), None
    if by == "day" and len(residual):
        days = series.period.astype("datetime64[D]").astype(int)
        calendar = np.full(days[-1] - days[0] + 1, np.nan)
        calendar[days - days[0]] = residual
        lag7 = autocorrelation(calendar, 7)
    bound = CORRELATED / np.sqrt(max(len(there), 1))
    if lag1 is not None and lag1 > bound:
        return lag1, lag7, "lag1"
    return lag1, lag7, "lag7" if lag7 is not None and lag7 > bound else None


def _signals(
    series: _Series, columns: dict[str, NDArray[Any]], phases: int, *, rules: RuleSet
) -> list[Signal]:
    found: list[Signal] = []
    for phase in range(phases):
        first, after = (int(place) for place in np.searchsorted(columns["phase"], [phase, phase + 1]))
        for limits, prefix in _AGAINST:
            center = columns[f"{prefix}center"][first:after]
            if not np.isnan(center).all():
                found += find_signals(
                    columns["value"][first:after],
                    center,
                    columns[f"{prefix}half"][first:after],
                    rules=rules,
                    excluded=series.excluded[first:after],
                    limits=limits,
                    first=first,
                )
    return sorted(found, key=lambda signal: signal.last)


def _points(series: _Series, columns: dict[str, NDArray[Any]], target: Floats) -> pd.DataFrame:
    ahead = {name: getattr(series, name) for name in ("period", "numerator", "denominator")}
    shown = {name: column for name, column in columns.items() if not name.endswith("half")}
    return pd.DataFrame(
        {**ahead, **shown, "excluded": series.excluded, "reason": series.reason, "target": target}, copy=False
    )


def _chance(kind: Kind, used: RuleSet, points: list[int], options: ChartOptions) -> float | None:
    if kind != "ewma":
        return false_signal_chance(used, points)
    simulated = (options.weight, options.width) == (WEIGHT, WIDTH)
    return false_signal_chance("ewma", points) if simulated else None


def _targets(period: NDArray[Any], target: float | Mapping[Any, float] | None) -> Floats:
    result = np.full(len(period), np.nan)
    if target is None:
        return result
    if not isinstance(target, Mapping):
        return np.full(len(period), float(target))
    for start, value in sorted((_place(start, period), value) for start, value in target.items()):
        result[start:] = value
    return result


def _variation(sides: list[Side | None], better: Better | None) -> Variation:
    if not sides:
        return "common_cause"
    side = next((side for side in sides if side), None)
    if side is None or better is None:
        return "special_cause"
    return "improvement" if (side == "above") == (better == "higher") else "concern"


def _change(
    signals: list[Signal], phases: tuple[Phase, ...], first: int, better: Better | None
) -> Variation | None:
    """Judge by the side to which the centre moved, if a signal of the last phase lies there."""
    before, now = (phases[-2].center, phases[-1].center) if len(phases) > 1 else (None, None)
    if before is None or now is None:
        return None
    moved: Side = "above" if now > before else "below"
    frozen = [one.side for one in signals if one.limits == "frozen" and one.first >= first]
    return _variation([moved for side in frozen if side in (moved, None)], better)


def _assurance(lcl: Floats, ucl: Floats, targets: Floats, better: Better | None) -> Assurance | None:
    """From the limits of a point of median size and the last target."""
    there = ~np.isnan(lcl)
    if better is None or not there.any() or np.isnan(targets[-1]):
        return None
    low, high, target = float(np.median(lcl[there])), float(np.median(ucl[there])), float(targets[-1])
    if better == "lower":
        low, high, target = -high, -low, -target
    return "always_met" if low >= target else "never_met" if high < target else "hit_and_miss"


def _plain(period: Any) -> Any:
    return pd.Timestamp(period) if isinstance(period, np.datetime64) else period.item()


def _number(value: float | None) -> float | None:
    return None if value is None or np.isnan(value) else float(value)

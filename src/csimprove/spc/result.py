"""What a control chart finds: points with limits, phases, signals and verdicts; no drawing, no language."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Literal

import pandas as pd

from csimprove.metrics.definitions import Better

Kind = Literal["p", "p_laney", "u", "u_laney", "xmr", "ewma", "run", "funnel"]
RuleSet = Literal[
    "limits", "anhoej", "limits_anhoej", "western_electric", "nelson", "making_data_count", "none"
]
Variation = Literal["improvement", "concern", "common_cause", "special_cause"]
Assurance = Literal["always_met", "never_met", "hit_and_miss"]
Withheld = Literal["lag1", "lag7"]
Side = Literal["above", "below"]

#: Fewer points than this in a phase: its limits are trial limits.
TRIAL_POINTS = 12


@dataclass(frozen=True, slots=True)
class PhaseStart:
    """A declared change: from ``start`` on the limits are estimated anew.

    Parameters
    ----------
    start
        First period of the phase: a date, or the place of its first point (0, 1, …) where there are no dates.
    name
        What the phase is called on the chart, e.g. ``V1.1`` or ``pilot``.
    reason
        Why the process is another one from here: without a reason there is no new phase.
    """

    start: date | int
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of points with limits of its own.

    Parameters
    ----------
    name, start, reason
        As declared; the first phase has neither reason nor (unless given) name. ``start`` is the period of
        its first point.
    n
        Points from which the limits are estimated: neither missing nor excluded.
    trial
        Fewer than `TRIAL_POINTS`: the limits are trial limits.
    center
        Centre line: pooled rate, mean or median; ``None`` without a point.
    sigma_z
        Dispersion: how many times wider than by chance alone the points spread. Laney charts: moving range of
        the standardised values / 1.128; funnel: square root of the winsorised over-dispersion, at least 1.
        ``None`` for other charts and where it cannot be had (one point; all points 0 or 100 %).
    screened
        Moving ranges left out of the limits as too wide (XmR with ``screen_ranges``).
    """

    name: str
    start: Any
    reason: str
    n: int
    trial: bool
    center: float | None
    sigma_z: float | None
    screened: int = 0


@dataclass(frozen=True, slots=True)
class Signal:
    """A pattern that chance rarely makes.

    Parameters
    ----------
    rule
        ``beyond_limits``, ``run`` (on one side of the centre), ``trend``, ``two_of_three``, ``four_of_five``,
        ``alternating``, ``hugging`` (15 within 1 sigma), ``mixture`` (8 outside 1 sigma, both sides),
        ``longest_run`` or ``crossings`` (Anhøj).
    side
        ``above`` or ``below`` the centre, for trends up or down; ``None`` for patterns without one.
    first, last
        Places in ``points`` (0, 1, …) of the first and last point of the pattern, both included.
    span
        Points that make the pattern up, missing and excluded ones not counted.
    limits
        ``own``: against the limits of the point's own phase. ``frozen``: against those of the phase before,
        which tests the change.
    """

    rule: str
    span: int
    side: Side | None
    first: int
    last: int
    limits: Literal["own", "frozen"] = "own"


@dataclass(frozen=True, slots=True, eq=False)
class ControlChart:
    """One chart as data: figure, table and JSON are made from it.

    Parameters
    ----------
    kind
        ``p``, ``p_laney``, ``u``, ``u_laney``, ``xmr``, ``ewma``, ``run`` (median) or ``funnel`` (units
        instead of periods).
    metric, better, unit
        What is charted, which side is the good one, and ``share``, ``minutes`` or ``""``.
    group
        Which team, region or arm; ``""`` is all.
    by
        ``day``, ``week``, ``unit`` (funnel) or ``""``.
    points
        One row a point, in order: ``period`` (date, place or unit), ``numerator, denominator``, ``value``
        (what is drawn; for ``ewma`` the smoothed value), ``center, lcl, ucl`` (NaN where there are none),
        ``frozen_center, frozen_lcl, frozen_ucl`` (limits of the phase before, carried on), ``phase`` (place
        in ``phases``), ``excluded`` (bool) and ``reason`` (why), ``target``. XmR also ``moving_range`` and
        ``moving_range_ucl``.
    phases
        In order, at least one.
    signals
        In order of their last point.
    rules
        The rule set asked for.
    run_rules_withheld
        Why only points beyond the limits are reported: neighbouring points (``lag1``) or the same weekdays
        (``lag7``) resemble each other, so that runs say nothing. ``None``: nothing withheld.
    lag1, lag7
        Autocorrelation of the standardised residuals, their one largest shift taken out; lag 7 for daily
        points only. ``None``: too few points.
    false_signal_chance
        Chance of at least one signal (against own limits) when nothing happens, for the rules used and the
        number of points, 0-1. ``None`` for an EWMA of other weight or width.
    variation
        From the signals, against own limits, that reach the last point of the last phase. ``special_cause``:
        a pattern that has no good or bad side.
    change
        Whether the last phase changed the process: the side to which its centre moved, if a signal against
        the frozen limits of the phase before lies there; ``None`` with one phase.
    assurance
        What the limits of the last phase promise about the last target; ``None`` without target or limits.
    target
        Target at the last point.
    left_out
        Periods not shown: cut off, still running or not decided; units without a decided ticket.
    """

    kind: Kind
    metric: str
    better: Better | None
    unit: str
    group: str
    by: str
    points: pd.DataFrame
    phases: tuple[Phase, ...]
    signals: tuple[Signal, ...]
    rules: RuleSet
    run_rules_withheld: Withheld | None
    lag1: float | None
    lag7: float | None
    false_signal_chance: float | None
    variation: Variation
    change: Variation | None
    assurance: Assurance | None
    target: float | None
    left_out: int = 0

    def to_frame(self) -> pd.DataFrame:
        """Return ``points`` with the phase's name and, per point, the rules it breaks (``signals``)."""
        broken: list[list[str]] = [[] for _ in range(len(self.points))]
        for signal in self.signals:
            for place in range(signal.first, signal.last + 1):
                if signal.limits == "own" and signal.rule not in broken[place]:
                    broken[place].append(signal.rule)
        names = [phase.name for phase in self.phases]
        return self.points.assign(
            phase=[names[place] for place in self.points["phase"]],
            signals=[" ".join(rules) for rules in broken],
        )

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain numbers, texts, lists and dicts; missing numbers are ``None``."""
        periods = [_plain(period) for period in self.points["period"]]
        points = self.points.assign(period=periods).astype(object)
        fields = {name: getattr(self, name) for name in self.__slots__}
        return fields | {
            "points": points.where(points.notna(), None).to_dict("records"),
            "phases": [asdict(phase) | {"start": _plain(phase.start)} for phase in self.phases],
            "signals": [
                asdict(signal) | {"from": periods[signal.first], "to": periods[signal.last]}
                for signal in self.signals
            ],
        }


def _plain(period: Any) -> Any:
    return period.date().isoformat() if hasattr(period, "date") else period

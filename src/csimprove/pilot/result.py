"""What a pilot evaluation finds: fields, tables and a JSON-able form; no drawing, no language."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from csimprove.errors import SettingsError
from csimprove.inference import TeamTest
from csimprove.settings import PilotPlan

if TYPE_CHECKING:  # the result needs no engine
    from csimprove.tickets import Reading

Verdict = Literal["go", "extend", "stop", "cannot_tell"]
Role = Literal["co_primary", "secondary", "guardrail"]
Status = Literal[
    "worth_having",
    "not_shown",
    "too_small",
    "harmed",
    "safe",
    "not_shown_safe",
    "better",
    "worse",
    "no_interval",
]
TargetStatus = Literal["reached", "not_reached", "cannot_tell"]


@dataclass(frozen=True, slots=True)
class Cell:
    """One arm in one period, pooled over its tickets.

    Parameters
    ----------
    numerator
        Successes of a rate; the sum of a mean, in the metric's unit.
    denominator
        Decided tickets.
    undecided
        Tickets that count for the metric but whose window or clock is still running at ``as_of``.
    value
        ``numerator / denominator``; ``None`` without a decided ticket.
    """

    numerator: float
    denominator: int
    undecided: int
    value: float | None


@dataclass(frozen=True, slots=True)
class PilotMetric:
    """What the pilot did to one metric.

    Effects are differences of mean unit (team) changes, pilot minus control, in the metric's unit (a share is
    0-1) and keep their sign: for a metric whose ``better`` is ``lower`` an improvement is negative.

    Parameters
    ----------
    metric, role, unit, better
        Its name, its role in the plan, ``share`` or ``minutes``, ``higher`` or ``lower``.
    pilot_before, pilot_during, control_before, control_during
        Pooled over tickets, not standardised; readers who subtract them get a slightly other figure than
        ``effect``.
    basis
        What ``effect`` is computed from: rates standardised to the mix of the period before, or crude ones
        (when the plan gives a ``crude_reason``).
    effect, ci_low, ci_high
        Effect with its 95 % Welch interval over units. No interval with too few units.
    pvalue
        Exact permutation over units, two-sided; ``None`` with too few units and before the decision date.
    pvalue_holm
        The same after Holm's correction over the secondary metrics; ``None`` for other roles.
    smallest_pvalue
        The smallest p-value that this design can give.
    crude_effect, crude_ci_low, crude_ci_high
        The same effect without standardisation.
    mix_effect
        How much of the crude effect is a change of mix: crude minus standardised.
    strata, renormalised
        Strata after merging the thin ones, and unit-periods that had no ticket in at least one of them.
    units_pilot, units_control
        Units with decided tickets in both periods.
    asked
        Minimum gain of a co-primary or margin of a guardrail, positive, in the metric's unit; else ``None``.
    level, level_low, level_high
        Mean of the pilot units' crude values during the pilot, with its 95 % t interval over units.
    target, target_status
        The metric's target and whether the level is shown to be at it; a line of its own, never the gate.
    status
        Co-primary: ``worth_having``, ``not_shown``, ``too_small`` or ``harmed``. Guardrail: ``safe``,
        ``not_shown_safe`` or ``harmed``. Secondary: ``better``, ``worse`` or ``not_shown`` (interval and
        Holm). ``no_interval`` where none can be given.
    tickets_per_week, tickets_low, tickets_high
        ``effect`` times the pilot's eligible tickets a week, signed like ``effect``; rates only.
    information
        Decided / eligible tickets of the pilot window, 0-1, of the arm that has less.
    """

    metric: str
    role: Role
    unit: str
    better: str
    pilot_before: Cell
    pilot_during: Cell
    control_before: Cell
    control_during: Cell
    basis: Literal["standardised", "crude"]
    effect: float | None
    ci_low: float | None
    ci_high: float | None
    pvalue: float | None
    pvalue_holm: float | None
    smallest_pvalue: float | None
    crude_effect: float | None
    crude_ci_low: float | None
    crude_ci_high: float | None
    mix_effect: float | None
    strata: int
    renormalised: int
    units_pilot: int
    units_control: int
    asked: float | None
    level: float | None
    level_low: float | None
    level_high: float | None
    target: float | None
    target_status: TargetStatus | None
    status: Status
    tickets_per_week: float | None
    tickets_low: float | None
    tickets_high: float | None
    information: float


@dataclass(frozen=True, slots=True)
class Reason:
    """The one reason that decided.

    Parameters
    ----------
    code
        ``too_few_units``, ``before_decision_date``, ``low_information``, ``volume_moved``,
        ``guardrail_harmed``, ``co_primary_harmed``, ``gain_too_small``, ``both_worth_having``,
        ``not_yet_shown`` or ``nothing_left_to_extend``.
    values
        The numbers that decided. Reasons about a metric hold ``metric``, ``effect``, ``ci_low``, ``ci_high``
        and ``asked``; dates are ISO texts.
    """

    code: str
    values: dict[str, float | int | str]


@dataclass(frozen=True, slots=True)
class PilotResult:
    """Pilot against control at one look.

    Parameters
    ----------
    verdict, reason
        By the gate (see :func:`csimprove.pilot.pilot`).
    metrics
        One per metric of the plan, co-primaries first.
    conditions
        Guardrails that are not shown safe.
    teams
        Columns ``metric, unit, group, arm`` (``pilot`` or ``control``), ``before, during, change`` (on the
        metric's ``basis``), ``tickets_before, tickets_during`` (decided).
    weekly
        Columns ``metric, week`` (its Monday)``, arm, group`` (``""``: the arm pooled)``, numerator,
        denominator, undecided, value``.
    left_out
        Columns ``metric, arm, period`` (``before`` or ``during``), and tickets: ``received`` = ``no_unit``
        (unit missing) + ``no_limit`` (on-time metrics: no limit to compare with) + ``not_counted`` (outside
        the metric, e.g. resolved without any reply, not rated) + ``undecided`` + ``used``.
    volume
        Relative change of the pilot's tickets a day against the controls' (effect 0.1 = 10 % more), Welch
        over units on log ratios; ``se``, ``t`` and ``df`` are those of the logs. ``None`` with too few units.
    volume_ok
        False when the interval lies wholly outside the plan's ``volume_margin``.
    one_group
        The pilot is one group (region): one draw, whatever the number of units.
    plan, as_of, zone, reading
        What was asked, when and of which data.
    decided_on
        The decision date: the plan's, else the end of the pilot plus the longest window of its metrics.
    """

    verdict: Verdict
    reason: Reason
    metrics: tuple[PilotMetric, ...]
    conditions: tuple[str, ...]
    teams: pd.DataFrame
    weekly: pd.DataFrame
    left_out: pd.DataFrame
    volume: TeamTest | None
    volume_ok: bool | None
    one_group: bool
    plan: PilotPlan
    as_of: datetime
    zone: str
    decided_on: date
    reading: Reading

    def to_frame(self) -> pd.DataFrame:
        """Return one row a metric: `PilotMetric`, cells spread as ``pilot_before_numerator`` and so on."""
        rows = []
        for metric in self.metrics:
            row: dict[str, Any] = {}
            for name, value in asdict(metric).items():
                nested = isinstance(value, dict)
                row |= {f"{name}_{part}": item for part, item in value.items()} if nested else {name: value}
            rows.append(row)
        return pd.DataFrame(rows)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain numbers, texts, lists and dicts; missing numbers are ``None``."""
        return {
            "verdict": self.verdict,
            "reason": asdict(self.reason),
            "metrics": [asdict(metric) for metric in self.metrics],
            "conditions": list(self.conditions),
            "teams": _records(self.teams),
            "weekly": _records(self.weekly),
            "left_out": _records(self.left_out),
            "volume": asdict(self.volume) if self.volume else None,
            "volume_ok": self.volume_ok,
            "one_group": self.one_group,
            "plan": self.plan.model_dump(mode="json"),
            "as_of": self.as_of.isoformat(),
            "zone": self.zone,
            "decided_on": self.decided_on.isoformat(),
            "reading": self.reading.to_dict(),
        }

    def choose(self, metric: str | None = None) -> str:
        """Return a metric of the plan, checked; ``None`` chooses the first co-primary.

        Raises
        ------
        SettingsError
            If the plan does not have it; the message lists those it has.
        """
        if metric is not None and metric not in self.plan.metrics:
            raise SettingsError(f"`metric` must be one of {', '.join(self.plan.metrics)}, not {metric!r}.")
        return metric or self.plan.metrics[0]


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as dicts of Python's own numbers and texts: dates as ISO texts, missing as ``None``."""
    if "week" in frame:
        frame = frame.assign(week=frame["week"].astype(str))
    plain = frame.astype(object).where(frame.notna(), None)
    return [{str(name): value for name, value in row.items()} for row in plain.to_dict("records")]

"""What a pilot evaluation finds: fields, tables and a JSON-able form; no drawing, no language."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from csimprove.errors import SettingsError
from csimprove.inference import TeamTest
from csimprove.pilot.lock import PlanLock
from csimprove.plain import plain_fields
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

#: Cells of a metric whose shares of decided tickets differ by more than this are not equally decided.
UNEQUAL = 0.05


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
        Effect with its Welch interval over units, at ``confidence``. No interval with too few units.
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
    confidence
        Coverage of ``ci_low`` to ``ci_high``: 0.95 with one planned look and between looks. At one of several
        planned looks co-primaries and guardrails have the repeated interval of that look, which is wider:
        its confidence is 1 - nominal p.
    decided_gap
        Largest minus smallest share of decided tickets among the four cells, 0-1.
    unequally_decided
        ``decided_gap`` is above `UNEQUAL`: one cell lacks the slow tickets that another has, so its rate is
        not compared like with like.
    variant
        Which published definition of the metric; a proxy is named as one.
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
    confidence: float = 0.95
    decided_gap: float = 0.0
    unequally_decided: bool = False
    variant: str = ""


@dataclass(frozen=True, slots=True)
class Reason:
    """The one reason that decided.

    Parameters
    ----------
    code
        ``too_few_units``, ``before_decision_date``, ``low_information``, ``volume_moved``, ``routing_moved``
        (values ``column, value, change, ci_low, ci_high, margin``), ``guardrail_harmed``,
        ``co_primary_harmed``, ``gain_too_small``, ``both_worth_having``, ``not_yet_shown`` or
        ``nothing_left_to_extend``.
    values
        The numbers that decided. Reasons about a metric hold ``metric``, ``effect``, ``ci_low``, ``ci_high``
        and ``asked``; dates are ISO texts.
    """

    code: str
    values: dict[str, float | int | str]


@dataclass(frozen=True, slots=True)
class LookMetric:
    """One co-primary or guardrail at one planned look.

    Parameters
    ----------
    metric, role, better, asked
        As in `PilotMetric`.
    decided, planned
        Tickets of the pilot window decided at the look, and planned: eligible tickets of ``before`` scaled to
        the length of ``during``; of the arm whose ratio is smaller.
    information
        ``decided / planned``, 0-1; 1 at the last look, which spends what is left of the 5 %.
    effect, t, df
        Effect over units, its Welch t and degrees of freedom; ``None`` without enough units.
    bound_z
        Bound on the normal scale: Lan-DeMets, O'Brien-Fleming spending for co-primaries by the information of
        the one that has least, Pocock for guardrails; ``None``: no new information since the look before, or
        a co-primary without any, so none can be reached.
    nominal_p
        Two-sided p-value of ``bound_z``.
    bound_t
        Quantile of t with ``df`` degrees of freedom of the same nominal p: ``|t|`` is compared with it.
    ci_low, ci_high
        Repeated interval ``effect -/+ bound_t * se``.
    status
        What that interval shows, as in `PilotMetric`.
    """

    metric: str
    role: Role
    better: str
    asked: float
    decided: int
    planned: float
    information: float
    effect: float | None
    t: float | None
    df: float | None
    bound_z: float | None
    nominal_p: float
    bound_t: float | None
    ci_low: float | None
    ci_high: float | None
    status: Status


@dataclass(frozen=True, slots=True)
class Look:
    """One planned look.

    Parameters
    ----------
    number, date
        1 for the first; the local day at whose end it is made.
    last
        The look of the decision date.
    made
        ``False`` for a look that is still to come or whose measures were not given: then ``metrics`` is
        empty.
    metrics
        Co-primaries and guardrails with information above 0; empty for a look that is not made.
    decision
        ``go`` or ``stop`` (ends the pilot), ``continue`` (also for a look not made); at the last look the
        verdict of the gate.
    reason
        Why; ``None`` for ``continue``.
    expected
        Of a look to come: information and bounds if tickets come in evenly until then, without an effect
        (``decided`` is what is expected); else empty.
    """

    number: int
    date: date
    last: bool
    made: bool
    metrics: tuple[LookMetric, ...]
    decision: Verdict | Literal["continue"]
    reason: Reason | None
    expected: tuple[LookMetric, ...] = ()


@dataclass(frozen=True, slots=True)
class Routing:
    """Share of one kind of tickets (one value of a stratum column): pilot's change minus the controls'.

    Parameters
    ----------
    column, value
        Such as ``channel`` and ``phone``.
    pilot_before, pilot_during, control_before, control_during
        Pooled shares of the tickets received, 0-1.
    effect, ci_low, ci_high
        Difference of the units' changes, 0-1, with its 95 % Welch interval.
    ok
        False when the interval lies wholly outside the plan's ``volume_margin``, read in shares.
    """

    column: str
    value: str
    pilot_before: float
    pilot_during: float
    control_before: float
    control_during: float
    effect: float
    ci_low: float
    ci_high: float
    ok: bool


@dataclass(frozen=True, slots=True)
class StaffShare:
    """Share of the asked staff who find the process clearer, 0-1, with its 95 % Wilson interval."""

    yes: int
    asked: int
    value: float
    ci_low: float
    ci_high: float


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
    daily
        Like ``weekly``, by ``day`` and arm: for run charts. Not in ``to_dict``.
    looks
        Every planned look in order; the last one is the decision date. A look that stopped the pilot decides
        the verdict even when later days are shown.
    routing
        One row a value of each stratum column: did the pilot's mix of tickets move. Empty with too few units.
    cannot_conclude
        What the result does not show, by code: ``too_few_units``, ``one_group`` (values ``group``),
        ``not_randomised`` (the plan has no ``assignment``), ``regression_to_the_mean`` (the pilot was chosen
        for bad results; values ``metric, pilot_before, control_before``), ``unequally_decided`` (``metric,
        gap``), ``co_primary_not_shown``, ``secondary_not_shown``, ``guardrail_not_shown_safe`` and
        ``target_cannot_tell`` (each ``metric``), ``volume_moved`` and ``routing_moved`` (as reasons),
        ``look_not_made`` (``date``: a planned look whose measures were not given), ``not_locked``,
        ``locked_late`` (``locked_on``), ``plan_changed`` (``fields``: how many changed after the lock).
    staff
        Feedback of the pilot's staff, if the plan holds it. There is no control to compare it with.
    lock
        The locked plan and what changed after, if the caller gave it.
    durations
        How long things took in both arms (:func:`csimprove.pilot.durations.pilot_durations`).
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
    daily: pd.DataFrame = field(default_factory=pd.DataFrame)
    looks: tuple[Look, ...] = ()
    routing: tuple[Routing, ...] = ()
    cannot_conclude: tuple[Reason, ...] = ()
    staff: StaffShare | None = None
    lock: PlanLock | None = None
    durations: pd.DataFrame = field(default_factory=pd.DataFrame)

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
        """Return all but `daily` as plain numbers, texts, lists and dicts; missing numbers are ``None``."""
        return {name: value for name, value in plain_fields(self).items() if name != "daily"}

    def choose(self, metric: str | None = None) -> str:
        """Return a metric of the plan, checked; ``None`` chooses the first co-primary (:func:`choose`)."""
        return choose(self.plan, metric)


def choose(plan: PilotPlan, metric: str | None) -> str:
    """Return a metric of the plan, checked; ``None`` chooses the first co-primary.

    Raises
    ------
    SettingsError
        If the plan does not have it; the message lists those it has.
    """
    if metric is not None and metric not in plan.metrics:
        raise SettingsError(f"`metric` must be one of {', '.join(plan.metrics)}, not {metric!r}.")
    return metric or plan.metrics[0]

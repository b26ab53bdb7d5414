"""The gate: one verdict and the one reason that decided, in a fixed order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Literal

from csimprove.inference import TeamTest
from csimprove.pilot.effects import enough, moved, too_few
from csimprove.pilot.result import Look, LookMetric, PilotMetric, Reason, Routing, Verdict
from csimprove.settings import PilotPlan

#: Share of a co-primary's tickets that must be decided at the last look.
INFORMATION = 0.5

Decision = tuple[Verdict, Reason]
Interim = tuple[Literal["go", "stop", "continue"], Reason | None]
Values = dict[str, float | int | str]


def decide(
    metrics: Sequence[PilotMetric],
    *,
    plan: PilotPlan,
    arms: tuple[int, int],
    volume: TeamTest | None,
    volume_ok: bool | None,
    routing: Sequence[Routing] = (),
    decided_on: date,
    today: date,
) -> Decision:
    """Judge a pilot: the first answer in this order that applies.

    Notes
    -----
    CANNOT TELL: too few units. EXTEND: before the decision date. CANNOT TELL: less than half of a co-primary
    decided, a co-primary with too few units, or volume or mix of tickets moved. STOP: a guardrail or
    co-primary shown harmed, or the upper limit of a co-primary below the minimum gain. GO: every co-primary's
    interval above its minimum gain. Else EXTEND, or CANNOT TELL if the plan leaves no time.
    """
    if not enough(*arms):
        return "cannot_tell", too_few(*arms)
    if today < decided_on:
        return "extend", Reason("before_decision_date", {"date": decided_on.isoformat()})
    if doubt := _doubt(metrics, plan=plan, volume=volume, volume_ok=volume_ok):
        return "cannot_tell", doubt
    if other_mix := rerouted(routing, plan):
        return "cannot_tell", other_mix
    for role, status, code in (
        ("guardrail", "harmed", "guardrail_harmed"),
        ("co_primary", "harmed", "co_primary_harmed"),
        ("co_primary", "too_small", "gain_too_small"),
    ):
        for metric in metrics:
            if metric.role == role and metric.status == status:
                return "stop", Reason(code, _numbers(metric))
    co_primary = _co_primaries(metrics)
    if open_ones := [metric for metric in co_primary if metric.status != "worth_having"]:
        return _extension(open_ones, plan)
    return "go", Reason("both_worth_having", _numbers(min(co_primary, key=_clearance)))


def interim(metrics: Sequence[LookMetric], *, plan: PilotPlan, moved: bool, number: int) -> Interim:
    """Judge a look before the last: harm stops, a gain shown worth having goes, all else waits.

    Parameters
    ----------
    metrics
        Co-primaries and guardrails with information.
    plan
        What is planned.
    moved
        Volume or mix of tickets moved against the controls: then there is no early GO.
    number
        Of the look.
    """
    harmed = [metric for metric in metrics if metric.status == "harmed"]
    for metric in sorted(harmed, key=lambda metric: metric.role != "guardrail"):
        return "stop", Reason(f"{metric.role}_harmed", {**_numbers(metric), "look": number})
    co_primary = [metric for metric in metrics if metric.role == "co_primary"]
    worth = [metric for metric in co_primary if metric.status == "worth_having"]
    if moved or len(worth) < len(plan.co_primary):
        return "continue", None
    return "go", Reason("both_worth_having", {**_numbers(min(worth, key=_clearance)), "look": number})


def settled(looks: Sequence[Look], *, otherwise: Decision) -> Decision:
    """Return the verdict of all looks: the first decision of an early one, unless a later look says STOP."""
    early = [look for look in looks if not look.last]
    ends: tuple[tuple[Verdict, Sequence[Look]], ...] = (("stop", looks), ("go", early))
    for verdict, among in ends:
        for look in among:
            if look.decision == verdict and look.reason is not None:
                return verdict, look.reason
    return otherwise


def rerouted(routing: Sequence[Routing], plan: PilotPlan) -> Reason | None:
    """Return which kind of tickets moved, unless the plan says that the process is to move them."""
    others = [row for row in routing if not row.ok]
    if plan.crude_reason or not others:
        return None
    most = max(others, key=lambda row: abs(row.effect))
    return moved("routing_moved", most, plan.volume_margin, column=most.column, value=most.value)


def _co_primaries(metrics: Sequence[PilotMetric]) -> list[PilotMetric]:
    return [metric for metric in metrics if metric.role == "co_primary"]


def _doubt(
    metrics: Sequence[PilotMetric], *, plan: PilotPlan, volume: TeamTest | None, volume_ok: bool | None
) -> Reason | None:
    """Why a pilot of enough units cannot be judged at the last look."""
    co_primary = _co_primaries(metrics)
    for metric in co_primary:
        if metric.information < INFORMATION:
            values: Values = {"metric": metric.metric, "information": metric.information}
            return Reason("low_information", {**values, "needed": INFORMATION})
    for metric in co_primary:
        if metric.status == "no_interval":
            return too_few(metric.units_pilot, metric.units_control, metric=metric.metric)
    if volume is not None and volume_ok is False:
        return moved("volume_moved", volume, plan.volume_margin)
    return None


def _extension(open_ones: list[PilotMetric], plan: PilotPlan) -> Decision:
    """Extend by as long as the interval of the least certain co-primary needs to leave the minimum gain.

    The width is taken to shrink with the square root of time, the estimate to stay: a guess, not a promise.
    """
    first, last = plan.during
    hardest = max(open_ones, key=_shortfall)
    values, ratio = _numbers(hardest), _shortfall(hardest)
    weeks = math.inf
    if ratio < math.inf:
        weeks = max(1, math.ceil(((last - first).days + 1) * (ratio**2 - 1) / 7))
        values["weeks_needed"] = weeks
    if plan.extendable_to is None or plan.extendable_to <= last:
        return "cannot_tell", Reason("nothing_left_to_extend", values)
    days = int(min(7 * weeks, (plan.extendable_to - last).days))
    values |= {"date": (last + timedelta(days=days)).isoformat(), "weeks": math.ceil(days / 7)}
    return "extend", Reason("not_yet_shown", values)


def _numbers(metric: PilotMetric | LookMetric) -> Values:
    names = ("metric", "effect", "ci_low", "ci_high", "asked")
    return {name: getattr(metric, name) for name in names}


def _excess(metric: PilotMetric | LookMetric) -> tuple[float, float]:
    """How far the gain lies above the minimum, and half the width of its interval."""
    effect, low, high, asked = (getattr(metric, name) for name in ("effect", "ci_low", "ci_high", "asked"))
    return (effect if metric.better == "higher" else -effect) - asked, (high - low) / 2


def _clearance(metric: PilotMetric | LookMetric) -> float:
    """How far the whole interval lies above the minimum gain."""
    excess, half = _excess(metric)
    return excess - half


def _shortfall(metric: PilotMetric) -> float:
    """How many times narrower the interval must be to leave the minimum gain."""
    excess, half = _excess(metric)
    return half / abs(excess) if excess else math.inf

"""What a pilot's result does not show, listed so that nobody concludes it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from csimprove.pilot.effects import moved, too_few
from csimprove.pilot.result import PilotResult, Reason

Values = dict[str, float | int | str]


def cannot_conclude(result: PilotResult, *, today: date) -> tuple[Reason, ...]:
    """Return the codes documented at `PilotResult`, those about the whole pilot first."""
    return (*_of_design(result), *_of_plan(result, today), *_of_metrics(result))


def _of_design(result: PilotResult) -> Iterator[Reason]:
    plan, main = result.plan, result.metrics[0]
    if any(metric.status == "no_interval" for metric in result.metrics):
        yield too_few(main.units_pilot, main.units_control)
    if result.one_group:
        yield Reason("one_group", {"group": plan.pilot[0]})
    if plan.assignment is None:
        yield Reason("not_randomised", {})
    levels = {"pilot_before": main.pilot_before.value, "control_before": main.control_before.value}
    if plan.chosen_for == "bad_results":
        known: Values = {name: level for name, level in levels.items() if level is not None}
        yield Reason("regression_to_the_mean", {"metric": main.metric, **known})
    if result.volume is not None and result.volume_ok is False:
        yield moved("volume_moved", result.volume, plan.volume_margin)
    for row in result.routing:
        if not row.ok:
            yield moved("routing_moved", row, plan.volume_margin, column=row.column, value=row.value)


def _of_plan(result: PilotResult, today: date) -> Iterator[Reason]:
    for look in result.looks:
        if look.date < today and not look.made and not look.last:
            yield Reason("look_not_made", {"date": look.date.isoformat()})
    if result.lock is None:
        yield Reason("not_locked", {})
        return
    if result.lock.locked_on > result.looks[0].date:
        yield Reason("locked_late", {"locked_on": result.lock.locked_on.isoformat()})
    if result.lock.changes:
        yield Reason("plan_changed", {"fields": len(result.lock.changes)})


def _of_metrics(result: PilotResult) -> Iterator[Reason]:
    for metric in result.metrics:
        about: Values = {"metric": metric.metric}
        if metric.unequally_decided:
            yield Reason("unequally_decided", {**about, "gap": metric.decided_gap})
        if metric.status in ("not_shown", "not_shown_safe"):
            yield Reason(f"{metric.role}_{metric.status}", {**about})
        if metric.target_status == "cannot_tell":
            yield Reason("target_cannot_tell", {**about})

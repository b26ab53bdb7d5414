"""The evaluation itself: measures and plan in, one result out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from csimprove import inference
from csimprove.inference import TeamTest
from csimprove.pilot import effects, gate
from csimprove.pilot.caveats import cannot_conclude
from csimprove.pilot.daily import cubes
from csimprove.pilot.durations import pilot_durations
from csimprove.pilot.effects import Basis, Estimate, Sums
from csimprove.pilot.lock import PlanLock
from csimprove.pilot.looks import look_metrics
from csimprove.pilot.result import Look, LookMetric, PilotMetric, PilotResult, Routing, StaffShare
from csimprove.pilot.roster import local_day, roster
from csimprove.settings import PilotPlan, StaffFeedback

if TYPE_CHECKING:  # annotations only
    from csimprove.metrics import Measures

PERIODS = ("before", "during")


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """All that one set of measures says about the plan."""

    units: pd.DataFrame
    windows: list[pd.DataFrame]
    sums: list[Sums]
    found: list[Estimate]
    volume: TeamTest | None
    volume_ok: bool | None
    routing: tuple[Routing, ...]

    @property
    def arms(self) -> tuple[int, int]:
        """Units of the pilot and of the control."""
        pilot = int((self.units["arm"] == "pilot").sum())
        return pilot, len(self.units) - pilot


def pilot(
    measures: Measures,
    *,
    plan: PilotPlan,
    rng: np.random.Generator,
    history: Mapping[date, Measures] | None = None,
    lock: PlanLock | None = None,
    staff: StaffFeedback | None = None,
) -> PilotResult:
    """Ask whether the process caused a gain worth having and whether the pilot is at its target.

    Parameters
    ----------
    measures
        Sums per day, unit and stratum as of a moment.
    plan
        Arms, windows, metrics with roles, what is asked of them.
    rng
        For permutations of designs with more than 200,000 assignments; smaller designs do not touch it.
    history
        Measures as of the planned looks that are past (:func:`csimprove.pilot.look_history`). A look that is
        not in it counts as not made: it spends nothing and decides nothing.
    lock
        The locked plan, to be carried in the result (:func:`csimprove.pilot.plan_lock`).
    staff
        What staff answered in a survey (:func:`csimprove.voice.staff_feedback`); by default the plan's.

    Returns
    -------
    PilotResult
        Verdict, the one reason that decided, every metric, every look, the tables behind them.

    Raises
    ------
    SettingsError
        If the plan contradicts itself or does not fit the data; the message lists every reason.

    Notes
    -----
    The unit of inference is the team (``plan.unit``), not the ticket. Per team and period the outcome is
    standardised to the mix of ``plan.strata`` in the period before; the effect is the mean change of the
    pilot's teams minus that of the control's, unweighted, with a Welch interval and an exact permutation
    p-value. The gate, in this order: too few units, CANNOT TELL; before the decision date, EXTEND; less than
    half of a co-primary decided, or volume or mix of tickets moved against the controls, CANNOT TELL; a
    guardrail or co-primary harmed or the gain shown too small, STOP; every co-primary above its minimum gain,
    GO; else EXTEND or, with nothing left to extend, CANNOT TELL. Decisions are made at the planned looks and
    from the decision date on; between them intervals are for watching. A look before the last may stop for
    harm or, with volume and mix in order, go early; then the first of these decisions is the verdict, unless
    a later look says STOP. The p-value belongs to the last look.
    """
    today = local_day(measures)
    now = snapshot(measures, plan, rng=rng)
    longest = max(measures.metric(name).window_days for name in plan.metrics)
    decided_on = plan.decision_date or plan.during[1] + timedelta(days=longest)
    last_look = today >= decided_on
    made = {
        day: snapshot(past, plan, rng=rng)
        for day, past in sorted((history or {}).items())
        if day in plan.looks and day < min(today, decided_on)
    }
    days = [*(day for day in plan.looks if day < decided_on), decided_on]
    look_day = decided_on if last_look else today
    if look_day in days:
        made[look_day] = now
    looks = _looks(days, made, plan=plan)
    deciding = looks[days.index(look_day)] if look_day in days and len(days) > 1 else None
    length = max(1, (min(plan.during[1], today) - plan.during[0]).days + 1)
    metrics = _metrics(now, plan=plan, weeks=length / 7, last_look=last_look, look=deciding)
    verdict, reason = gate.decide(
        metrics,
        plan=plan,
        arms=now.arms,
        volume=now.volume,
        volume_ok=now.volume_ok,
        routing=now.routing,
        decided_on=decided_on,
        today=today,
    )
    if last_look:
        looks[-1] = replace(looks[-1], decision=verdict, reason=reason)
    if reason.code != "too_few_units":
        verdict, reason = gate.settled(looks, otherwise=(verdict, reason))
    weekly, daily = _over_time(measures, plan, now.units)
    result = PilotResult(
        verdict=verdict,
        reason=reason,
        metrics=metrics,
        conditions=tuple(m.metric for m in metrics if m.role == "guardrail" and m.status != "safe"),
        teams=_teams(now.units, now.sums, now.found),
        weekly=weekly,
        left_out=_left_out(plan, now.windows),
        volume=now.volume,
        volume_ok=now.volume_ok,
        one_group=len(plan.pilot) == 1,
        plan=plan,
        as_of=measures.as_of,
        zone=measures.zone,
        decided_on=decided_on,
        reading=measures.reading,
        looks=_with_expected(looks, made, now=now, today=today, plan=plan),
        daily=daily,
        routing=now.routing,
        staff=_staff(staff or plan.staff_feedback),
        lock=lock,
        durations=pilot_durations(measures, plan),
    )
    return replace(result, cannot_conclude=cannot_conclude(result, today=today))


def snapshot(measures: Measures, plan: PilotPlan, *, rng: np.random.Generator) -> Snapshot:
    """Estimate every metric of a plan from one set of measures."""
    units = roster(measures, plan)
    windows = [_window(measures, plan, period) for period in PERIODS]
    rows = pd.concat([window.assign(period=period) for period, window in enumerate(windows)])
    rows = rows[rows[plan.unit] != ""]
    treated = (units["arm"] == "pilot").to_numpy()
    summed = cubes(rows, plan, units, rows["period"].to_numpy(), len(PERIODS))
    sums = [
        Sums(measures.metric(name), numerator, decided, undecided, treated)
        for name, numerator, decided, undecided in zip(plan.metrics, *summed, strict=True)
    ]
    basis: Basis = "crude" if plan.crude_reason else "standardised"
    volume = _volume(units)
    return Snapshot(
        units=units,
        windows=windows,
        sums=sums,
        found=[effects.estimate(part, basis=basis, rng=rng) for part in sums],
        volume=volume,
        volume_ok=None if volume is None else _stayed(volume, plan),
        routing=_routing(plan, units, rows),
    )


def _looks(days: list[date], made: dict[date, Snapshot], *, plan: PilotPlan) -> list[Look]:
    """Judge every look made by itself and those before it."""
    looks: list[Look] = []
    before: list[tuple[list[Sums], list[Estimate]]] = []
    for number, day in enumerate(days, start=1):
        last, now = day == days[-1], made.get(day)
        metrics: tuple[LookMetric, ...] = ()
        decision: gate.Interim = ("continue", None)
        if now is not None:
            before.append((now.sums, now.found))
            metrics = look_metrics(before, plan=plan, last=last)
            if not last:
                moved = now.volume_ok is False or bool(gate.rerouted(now.routing, plan))
                decision = gate.interim(metrics, plan=plan, moved=moved, number=number)
        looks.append(Look(number, day, last, now is not None, metrics, *decision))
    return looks


def _with_expected(
    looks: list[Look], made: dict[date, Snapshot], *, now: Snapshot, today: date, plan: PilotPlan
) -> tuple[Look, ...]:
    """Say of the looks to come how far they will ask an effect to go."""
    before = [(made[look.date].sums, made[look.date].found) for look in looks if look.made]
    told: list[Look] = []
    ahead: list[date] = []
    for look in looks:
        expected: tuple[LookMetric, ...] = ()
        if not look.made and look.date > today:
            ahead.append(look.date)
            expected = look_metrics(before, plan=plan, last=look.last, now=now.sums, ahead=ahead)
        told.append(replace(look, expected=expected))
    return tuple(told)


def _window(measures: Measures, plan: PilotPlan, period: str) -> pd.DataFrame:
    """Return the sums of one window per group, unit, stratum and metric."""
    first, last = getattr(plan, period)
    by = dict.fromkeys((plan.group, plan.unit, *plan.strata))
    where = {plan.group: (*plan.pilot, *plan.control)}
    return measures.pooled(*by, metrics=plan.metrics, first=first, last=last, where=where)


def _metrics(
    now: Snapshot, *, plan: PilotPlan, weeks: float, last_look: bool, look: Look | None
) -> tuple[PilotMetric, ...]:
    """Put every estimate into the words of the plan; at one of several looks with its repeated interval."""
    bounds = {metric.metric: metric.bound_z or math.inf for metric in look.metrics} if look else {}
    found = [
        effects.widened(part, bounds[name]) if name in bounds else part
        for name, part in zip(plan.metrics, now.found, strict=True)
    ]
    tested = {
        name: part.permutation.pvalue
        for name, part in zip(plan.metrics, found, strict=True)
        if name in plan.secondary and effects.enough(part.units_pilot, part.units_control)
    }
    corrected = inference.holm([*tested.values()]).tolist()
    holm = dict(zip(tested, corrected, strict=True)) if last_look else {}
    asked = {"co_primary": plan.minimum_gain, "guardrail": plan.margin, "secondary": {}}
    return tuple(
        effects.describe(
            part,
            estimate,
            role=role,
            asked=asked[role].get(name),
            weeks=weeks,
            last_look=last_look,
            pvalue_holm=holm.get(name),
            confidence=1 - math.erfc(bounds[name] / math.sqrt(2)) if name in bounds else 0.95,
        )
        for (name, role), part, estimate in zip(effects.roles(plan).items(), now.sums, found, strict=True)
    )


def _volume(units: pd.DataFrame) -> TeamTest | None:
    """Compare the relative changes of received tickets: did the controls receive the overflow of the pilot.

    The lengths of the windows cancel: they are the same for all units.
    """
    units = units[(units["before"] > 0) & (units["during"] > 0)]
    treated = (units["arm"] == "pilot").to_numpy()
    if not effects.enough(int(treated.sum()), int((~treated).sum())):
        return None
    change = np.log((units["during"] / units["before"]).to_numpy(dtype=float))
    logs = inference.welch(change[treated], change[~treated])
    effect, low, high = (math.expm1(part) for part in (logs.effect, logs.ci_low, logs.ci_high))
    return TeamTest(effect, logs.se, logs.df, logs.t, logs.pvalue, low, high)


def _stayed(test: TeamTest, plan: PilotPlan) -> bool:
    """Whether an interval reaches into the plan's margin for volume and mix."""
    return test.ci_low <= plan.volume_margin and test.ci_high >= -plan.volume_margin


def _routing(plan: PilotPlan, units: pd.DataFrame, rows: pd.DataFrame) -> tuple[Routing, ...]:
    """Compare how the mix of received tickets moved, for every value of every stratum column."""
    treated = (units["arm"] == "pilot").to_numpy()
    rows = rows[rows["metric"] == plan.metrics[0]]
    unit = pd.Index(units["unit"]).get_indexer(pd.Index(rows[plan.unit]))
    period, tickets = rows["period"].to_numpy(), rows["tickets"].to_numpy(dtype=float)
    found = []
    for column in plan.strata:
        kind, values = pd.factorize(rows[column], sort=True)
        cube = np.zeros((len(PERIODS), len(units), len(values)))
        np.add.at(cube, (period, unit, kind), tickets)
        usable = (cube.sum(axis=2) > 0).all(axis=0)
        arms = usable & treated, usable & ~treated
        if len(values) < 2 or not effects.enough(int(arms[0].sum()), int(arms[1].sum())):
            continue
        changes = np.diff(cube[:, usable] / cube[:, usable].sum(axis=2, keepdims=True), axis=0)[0]
        shares = [(part := cube[period, arm].sum(axis=0)) / part.sum() for arm in arms for period in (0, 1)]
        for place, value in enumerate(values):
            test = inference.welch(changes[treated[usable], place], changes[~treated[usable], place])
            a, b, c, d = (float(share[place]) for share in shares)
            limits = test.effect, test.ci_low, test.ci_high
            found.append(Routing(column, str(value), a, b, c, d, *limits, _stayed(test, plan)))
    return tuple(found)


def _staff(answers: StaffFeedback | None) -> StaffShare | None:
    if answers is None:
        return None
    low, high = inference.wilson(answers.yes, answers.asked)
    return StaffShare(answers.yes, answers.asked, answers.yes / answers.asked, float(low), float(high))


def _teams(units: pd.DataFrame, sums: list[Sums], found: list[Estimate]) -> pd.DataFrame:
    names = pd.concat([units[["unit", "group", "arm"]]] * len(sums), ignore_index=True)
    before, during = np.concatenate([estimate.rates for estimate in found], axis=1)
    tickets = np.concatenate([part.decided.sum(axis=2) for part in sums], axis=1).astype("int64")
    metric = np.repeat([part.metric.name for part in sums], len(units))
    rates = {"before": before, "during": during, "change": during - before}
    counts = {"tickets_before": tickets[0], "tickets_during": tickets[1]}
    return pd.DataFrame({"metric": metric, **names, **rates, **counts})


def _over_time(measures: Measures, plan: PilotPlan, units: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return weeks and days from first to last: each group and, with group "", each arm pooled."""
    rows = measures.pooled(
        "day",
        plan.group,
        metrics=plan.metrics,
        first=plan.before[0],
        last=plan.during[1],
        where={plan.group: (*plan.pilot, *plan.control), plan.unit: tuple(units["unit"])},
    ).rename(columns={plan.group: "group"})
    rows["arm"] = np.where(rows["group"].isin(plan.pilot), "pilot", "control")
    rows["week"] = rows["day"] - pd.to_timedelta(rows["day"].dt.day_of_week, unit="D")
    sums = ["numerator", "denominator", "undecided"]

    def pooled(*by: str) -> pd.DataFrame:
        return rows.groupby(["metric", *by], as_index=False, sort=False)[sums].sum()

    def valued(table: pd.DataFrame) -> pd.DataFrame:
        return table.assign(value=table["numerator"] / table["denominator"].where(table["denominator"] > 0))

    arms = pooled("week", "arm").assign(group="")
    weeks = pd.concat([arms, pooled("week", "arm", "group")], ignore_index=True)
    order = ["metric", "week", "arm", "group", *sums]
    return valued(weeks[order]), valued(pooled("day", "arm"))


def _left_out(plan: PilotPlan, windows: list[pd.DataFrame]) -> pd.DataFrame:
    """Account for every ticket that an arm received in a window."""
    rows = pd.concat([window.assign(period=name) for name, window in zip(PERIODS, windows, strict=True)])
    rows["arm"] = np.where(rows[plan.group].isin(plan.pilot), "pilot", "control")
    rows["received"] = rows["tickets"]
    known = rows[plan.unit] != ""
    rows["no_unit"] = rows["tickets"].where(~known, 0)
    rows[["denominator", "undecided", "no_reply", "tickets"]] *= known.to_numpy()[:, None]
    rows["used"] = rows["denominator"]
    # outside an on-time metric: no limit and, for the response only, no need of a reply
    outside = rows["tickets"] - rows["used"] - rows["undecided"]
    no_reply = rows["no_reply"].where(rows["metric"] == "response_on_time", 0)
    on_time = rows["metric"].isin(["response_on_time", "resolution_on_time"])
    rows["no_limit"] = (outside - no_reply).clip(lower=0).where(on_time, 0)
    rows["not_counted"] = outside - rows["no_limit"]
    counts = ["received", "no_unit", "no_limit", "not_counted", "undecided", "used"]
    return rows.groupby(["metric", "arm", "period"], as_index=False, sort=False)[counts].sum()

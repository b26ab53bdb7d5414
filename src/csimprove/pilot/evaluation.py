"""The evaluation itself: measures and plan in, one result out."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from csimprove import inference
from csimprove.inference import TeamTest
from csimprove.pilot import effects, gate
from csimprove.pilot.effects import Basis, Estimate, Sums
from csimprove.pilot.result import PilotMetric, PilotResult, Role
from csimprove.pilot.roster import local_day, roster
from csimprove.settings import PilotPlan

if TYPE_CHECKING:  # annotations only
    from csimprove.metrics import Measures

PERIODS = ("before", "during")


def pilot(measures: Measures, *, plan: PilotPlan, rng: np.random.Generator) -> PilotResult:
    """Ask whether the process caused a gain worth having and whether the pilot is at its target.

    Parameters
    ----------
    measures
        Sums per day, unit and stratum as of a moment.
    plan
        Arms, windows, metrics with roles, what is asked of them.
    rng
        For permutations of designs with more than 200,000 assignments; smaller designs do not touch it.

    Returns
    -------
    PilotResult
        Verdict, the one reason that decided, every metric, the tables behind them.

    Raises
    ------
    SettingsError
        If the plan does not fit the data; the message lists every reason.

    Notes ----- The unit of inference is the team (``plan.unit``), not the ticket. Per team and period the
    outcome is standardised to the mix of ``plan.strata`` in the period before; the effect is the mean change
    of the pilot's teams minus that of the control's, unweighted, with a Welch interval and an exact
    permutation p-value. The gate, in this order: too few units, CANNOT TELL; before the decision date,
    EXTEND; less than half of a co-primary decided or volume moved against the controls, CANNOT TELL; a
    guardrail or co-primary harmed or the gain shown too small, STOP; every co-primary above its minimum gain,
    GO; else EXTEND or, with nothing left to extend, CANNOT TELL. Decisions are made once, from the decision
    date on: intervals before it are for watching and have no p-value.
    """
    units = roster(measures, plan)
    treated = (units["arm"] == "pilot").to_numpy()
    arms = int(treated.sum()), int((~treated).sum())
    windows = [_window(measures, plan, period) for period in PERIODS]
    today = local_day(measures.as_of, measures.zone)
    longest = max(measures.metric(name).window_days for name in plan.metrics)
    decided_on = plan.decision_date or plan.during[1] + timedelta(days=longest)
    days = max(1, (min(plan.during[1], today) - plan.during[0]).days + 1)
    sums = _sums(measures, plan, units, windows)
    basis: Basis = "crude" if plan.crude_reason else "standardised"
    found = [effects.estimate(part, basis=basis, rng=rng) for part in sums]
    metrics = _metrics(sums, found, plan=plan, weeks=days / 7, last_look=today >= decided_on)
    volume = _volume(units)
    margin = plan.volume_margin
    volume_ok = None if volume is None else volume.ci_low <= margin and volume.ci_high >= -margin
    verdict, reason = gate.decide(
        metrics,
        plan=plan,
        arms=arms,
        volume=volume,
        volume_ok=volume_ok,
        decided_on=decided_on,
        today=today,
    )
    return PilotResult(
        verdict=verdict,
        reason=reason,
        metrics=metrics,
        conditions=tuple(m.metric for m in metrics if m.role == "guardrail" and m.status != "safe"),
        teams=_teams(units, sums, found),
        weekly=_weekly(measures, plan, units),
        left_out=_left_out(plan, windows),
        volume=volume,
        volume_ok=volume_ok,
        one_group=len(plan.pilot) == 1,
        plan=plan,
        as_of=measures.as_of,
        zone=measures.zone,
        decided_on=decided_on,
        reading=measures.reading,
    )


def _window(measures: Measures, plan: PilotPlan, period: str) -> pd.DataFrame:
    """Return the sums of one window per group, unit, stratum and metric."""
    first, last = getattr(plan, period)
    by = dict.fromkeys((plan.group, plan.unit, *plan.strata))
    where = {plan.group: (*plan.pilot, *plan.control)}
    return measures.pooled(*by, metrics=plan.metrics, first=first, last=last, where=where)


def _sums(
    measures: Measures, plan: PilotPlan, units: pd.DataFrame, windows: list[pd.DataFrame]
) -> list[Sums]:
    """Turn the two windows into arrays (metric, period, unit, stratum)."""
    rows = pd.concat([window.assign(period=period) for period, window in enumerate(windows)])
    rows = rows[rows[plan.unit] != ""]
    stratum = rows.groupby(list(plan.strata)).ngroup().to_numpy() if plan.strata else np.zeros(len(rows), int)
    place = (
        pd.Index(plan.metrics).get_indexer(pd.Index(rows["metric"])),
        rows["period"].to_numpy(),
        pd.Index(units["unit"]).get_indexer(pd.Index(rows[plan.unit])),
        stratum,
    )
    shape = (len(plan.metrics), len(PERIODS), len(units), stratum.max() + 1)
    cubes = []
    for column in ("numerator", "denominator", "undecided"):
        cube = np.zeros(shape)
        np.add.at(cube, place, rows[column].to_numpy(dtype=float))
        cubes.append(cube)
    treated = (units["arm"] == "pilot").to_numpy()
    return [
        Sums(measures.metric(name), numerator, decided, undecided, treated)
        for name, numerator, decided, undecided in zip(plan.metrics, *cubes, strict=True)
    ]


def _metrics(
    sums: list[Sums], found: list[Estimate], *, plan: PilotPlan, weeks: float, last_look: bool
) -> tuple[PilotMetric, ...]:
    tested = [
        (name, part.permutation.pvalue)
        for name, part in zip(plan.metrics, found, strict=True)
        if name in plan.secondary and effects.enough(part.units_pilot, part.units_control)
    ]
    corrected = inference.holm([pvalue for _, pvalue in tested]).tolist()
    holm = dict(zip([name for name, _ in tested], corrected, strict=True)) if last_look else {}
    roles: dict[str, Role] = {
        **dict.fromkeys(plan.co_primary, "co_primary"),
        **dict.fromkeys(plan.secondary, "secondary"),
        **dict.fromkeys(plan.guardrail, "guardrail"),
    }
    asked = {"co_primary": plan.minimum_gain, "guardrail": plan.margin, "secondary": {}}
    return tuple(
        effects.describe(
            part,
            estimate,
            role=roles[name],
            asked=asked[roles[name]].get(name),
            weeks=weeks,
            last_look=last_look,
            pvalue_holm=holm.get(name),
        )
        for name, part, estimate in zip(plan.metrics, sums, found, strict=True)
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


def _teams(units: pd.DataFrame, sums: list[Sums], found: list[Estimate]) -> pd.DataFrame:
    parts = [
        units[["unit", "group", "arm"]].assign(
            metric=part.metric.name,
            before=estimate.rates[0],
            during=estimate.rates[1],
            change=estimate.rates[1] - estimate.rates[0],
            tickets_before=part.decided[0].sum(axis=1).astype("int64"),
            tickets_during=part.decided[1].sum(axis=1).astype("int64"),
        )
        for part, estimate in zip(sums, found, strict=True)
    ]
    table = pd.concat(parts, ignore_index=True)
    return table[["metric", *table.columns.drop("metric")]]


def _weekly(measures: Measures, plan: PilotPlan, units: pd.DataFrame) -> pd.DataFrame:
    """Return every week from the first day to the last: each group and, with group "", each arm pooled."""
    rows = measures.pooled(
        "week",
        plan.group,
        metrics=plan.metrics,
        first=plan.before[0],
        last=plan.during[1],
        where={plan.group: (*plan.pilot, *plan.control), plan.unit: tuple(units["unit"])},
    ).rename(columns={plan.group: "group"})
    rows["arm"] = np.where(rows["group"].isin(plan.pilot), "pilot", "control")
    sums = ["numerator", "denominator", "undecided"]
    arms = rows.groupby(["metric", "week", "arm"], as_index=False, sort=False)[sums].sum().assign(group="")
    columns = ["metric", "week", "arm", "group", *sums]
    table = pd.concat([arms[columns], rows[columns]], ignore_index=True)
    return table.assign(value=table["numerator"] / table["denominator"].where(table["denominator"] > 0))


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

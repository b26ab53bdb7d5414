"""Planned looks: how much is known, how far an effect must go to end the pilot, what each look decided."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from csimprove import inference
from csimprove.inference import Spending, TeamTest
from csimprove.pilot import effects
from csimprove.pilot.effects import Estimate, Sums
from csimprove.pilot.result import LookMetric, Role
from csimprove.settings import PilotPlan

if TYPE_CHECKING:  # annotations only
    from datetime import date

    from csimprove.metrics import Measures
    from csimprove.settings import Settings

#: Information that an early look can have at most: the last one must have something left to add.
EARLY = 0.99

#: How each role spends its 5 %: gains late, harm from the first look on (one-sided 2.5 %).
SPENDING: dict[Role, Spending] = {"co_primary": "obrien_fleming", "guardrail": "pocock"}


_NOTHING = TeamTest(*[math.nan] * 7)


def look_history(settings: Settings, measures: Measures) -> dict[date, Measures]:
    """Return the measures as they were at the end of each planned look that is past.

    Parameters
    ----------
    settings
        The project's settings, with a plan.
    measures
        Measures as of now.

    Returns
    -------
    dict
        Day of the look = measures, for the ``history`` of :func:`csimprove.pilot.pilot`. They are stored like
        any others: computed once.
    """
    # the loader brings the reading of files, which an evaluation of ready measures does not need
    from csimprove.metrics import load_measures  # noqa: PLC0415

    looks = settings.pilot.looks if settings.pilot else ()
    return {day: load_measures(settings, as_of=day) for day in looks if day < measures.today}


def planned_information(sums: Sums, plan: PilotPlan) -> tuple[int, float]:
    """Return decided and planned tickets of the pilot window, of the arm that is further from its plan.

    Planned are the eligible tickets of ``before``, scaled to the length of ``during``.
    """
    (first, last), (start, end) = plan.before, plan.during
    scale = ((end - start).days + 1) / ((last - first).days + 1)
    arms = []
    for chosen in (sums.treated, ~sums.treated):
        before, during = (sums.decided[period, chosen].sum() for period in (0, 1))
        planned = float(before + sums.undecided[0, chosen].sum()) * scale
        arms.append((int(during), planned))
    return min(arms, key=lambda arm: arm[0] / arm[1] if arm[1] else 0.0)


def look_metrics(
    snapshots: Sequence[tuple[Sequence[Sums], Sequence[Estimate]]],
    *,
    plan: PilotPlan,
    last: bool,
    now: Sequence[Sums] = (),
    ahead: Sequence[date] = (),
) -> tuple[LookMetric, ...]:
    """Judge every co-primary and guardrail at the latest of the looks made, or say what one ahead will ask.

    Parameters
    ----------
    snapshots
        Sums and estimates, in the order of ``plan.metrics``, at each look made, the judged one at the end.
    plan
        Roles and what is asked.
    last
        The judged look is the last one of the plan: it spends what is left.
    now
        Sums as of now, for what is planned; with ``ahead`` only.
    ahead
        Days of the looks from the next one on, up to the one asked for: its bounds are those if tickets come
        in evenly until then, without an effect.

    Returns
    -------
    tuple of LookMetric
        Those with information above 0.

    Notes
    -----
    Lan and DeMets (1983): the bound of a look follows from the information (decided / planned tickets) of
    this look and of those made before it. Co-primaries share one bound, by the information of the one that
    has least: a GO needs all of them at the same look, so a look at which one knows little spends little of
    any. The bounds hold for z; |t| of the Welch test is compared with the quantile of t that has the same
    nominal p.
    """
    looked_at = {
        place: (name, role)
        for place, (name, role) in enumerate(effects.roles(plan).items())
        if role != "secondary"
    }
    made = {place: [planned_information(sums[place], plan) for sums, _ in snapshots] for place in looked_at}
    latest = now if ahead else snapshots[-1][0]
    shares = {
        place: _shares(made[place], ahead, plan=plan, window_days=latest[place].metric.window_days, last=last)
        for place in looked_at
    }
    least = np.min([shares[place] for place, (_, role) in looked_at.items() if role == "co_primary"], axis=0)
    found = []
    for place, (name, role) in looked_at.items():
        information = shares[place][-1]
        if not information:
            continue
        planned = planned_information(latest[place], plan)[1]
        counts = (round(information * planned), planned) if ahead else made[place][-1]
        estimate = None if ahead else snapshots[-1][1][place]
        asked = (plan.minimum_gain if role == "co_primary" else plan.margin)[name]
        bound = look_bound(least if role == "co_primary" else shares[place], role, last=last)
        found.append(_look_metric(latest[place], estimate, role, asked, counts, information, bound))
    return tuple(found)


def _shares(
    made: Sequence[tuple[int, float]],
    ahead: Sequence[date],
    *,
    plan: PilotPlan,
    window_days: int,
    last: bool,
) -> list[float]:
    """Return what a metric knows at each look made and ahead, 0-1; the last look knows all it ever will."""
    start, end = plan.during
    ripe = [((day - start).days + 1 - window_days) / ((end - start).days + 1) for day in ahead]
    shares = [decided / planned if planned else 0.0 for decided, planned in made]
    shares = [min(max(share, 0.0), EARLY) for share in (*shares, *ripe)]
    if last and (ahead or made[-1][0]):
        shares[-1] = 1.0
    return shares


def look_bound(information: ArrayLike, role: Role, *, last: bool) -> float:
    """Return the bound on |z| at the latest of the looks made; looks without new information do not count."""
    made = tuple(share for share in np.maximum.accumulate(information).tolist() if share > 0)
    return _bounds(made if last else (*made, 1.0), SPENDING[role])[len(made) - 1] if made else math.inf


@lru_cache(maxsize=256)
def _bounds(information: tuple[float, ...], kind: Spending) -> list[float]:
    """Bounds of all looks; metrics of the same information share them."""
    return [float(bound) for bound in inference.spending_bounds(information, kind=kind)]


def _look_metric(
    sums: Sums,
    estimate: Estimate | None,
    role: Role,
    asked: float,
    counts: tuple[int, float],
    information: float,
    bound: float,
) -> LookMetric:
    test, shown = _NOTHING, False
    if estimate is not None:
        test = effects.widened(estimate, bound).test
        shown = effects.enough(estimate.units_pilot, estimate.units_control)
    low, high = (test.ci_low, test.ci_high) if shown else (math.nan, math.nan)
    quantile = float(inference.nominal_t(bound, test.df))

    def told(value: float) -> float | None:
        return float(value) if shown and math.isfinite(value) else None

    return LookMetric(
        metric=sums.metric.name,
        role=role,
        better=sums.metric.better,
        asked=asked,
        decided=counts[0],
        planned=counts[1],
        information=information,
        effect=told(test.effect),
        t=told(test.t),
        df=told(test.df),
        bound_z=bound if math.isfinite(bound) else None,
        nominal_p=math.erfc(bound / math.sqrt(2)),
        bound_t=told(quantile),
        ci_low=told(low),
        ci_high=told(high),
        status=effects.judge(role, sums.metric.better, low, high, asked=asked),
    )

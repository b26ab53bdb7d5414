"""Who takes part in a pilot, and everything that is wrong with a plan against the data at hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

import pandas as pd

from csimprove.errors import SettingsError
from csimprove.settings import PilotPlan, near

if TYPE_CHECKING:  # annotations only
    from csimprove.metrics import Measures


def roster(measures: Measures, plan: PilotPlan) -> pd.DataFrame:
    """Return the units of both arms.

    Returns
    -------
    pandas.DataFrame
        One row a unit with tickets in a window, sorted: ``unit, group, arm, before, during`` (tickets
        opened).

    Raises
    ------
    SettingsError
        If the plan does not fit the data; the message lists every reason.
    """
    problems = [*plan.problems, *_metric_problems(measures, plan), *_key_problems(measures, plan)]
    units = pd.DataFrame()
    if {plan.unit, plan.group} <= set(measures.keys):
        units = units_of(measures, plan)
        problems += _group_problems(measures, plan)
        problems += _unit_problems(units, plan, ends=measures.today)
    refuse("`pilot` must be corrected", problems)
    return units


def refuse(what: str, problems: Sequence[str]) -> None:
    """Raise `SettingsError` that lists every problem, if there is one."""
    if problems:
        raise SettingsError(f"{what}:" + "".join(f"\n  {problem}" for problem in problems))


def _metric_problems(measures: Measures, plan: PilotPlan) -> list[str]:
    available = {metric.name: metric for metric in measures.metrics}
    known = [*available, *measures.unavailable]
    problems = []
    for name in plan.metrics:
        if name not in known:
            problems.append(f"metric {name!r} is not in the catalogue{near(name, known)}")
        elif name not in available:
            problems.append(
                f"metric {name!r} needs columns that {measures.reading.source} does not have: "
                "map them in [source.columns] or leave the metric out"
            )
    for key in ("minimum_gain", "margin"):
        for name, value in getattr(plan, key).items():
            if name in available and available[name].kind == "rate" and value >= 1:
                problems.append(f"`{key}.{name}` must be a share such as 0.05 for 5 points, not {value:g}")
    return problems


def _key_problems(measures: Measures, plan: PilotPlan) -> list[str]:
    cuts = measures.keys[1:]
    wanted = {"unit": (plan.unit,), "group": (plan.group,), "strata": plan.strata}
    return [
        f"`{key}` {name!r} is not a cut of these measures{near(name, cuts)}"
        for key, names in wanted.items()
        for name in names
        if name not in (*cuts, "ticket_id")  # the plan itself refuses that
    ]


def _group_problems(measures: Measures, plan: PilotPlan) -> list[str]:
    values = sorted(set(measures.frame[plan.group].unique()) - {""})
    return [
        f"`{arm}` {name!r} is not a {plan.group} of the data{near(name, values)}"
        for arm in ("pilot", "control")
        for name in getattr(plan, arm)
        if name not in values
    ]


def units_of(measures: Measures, plan: PilotPlan) -> pd.DataFrame:
    """Return the units of a plan without checking it, as :func:`roster` does."""
    arms = {group: arm for arm in ("pilot", "control") for group in getattr(plan, arm)}
    rows = measures.frame[measures.frame[plan.group].isin(list(arms))]
    columns = {"unit": rows[plan.unit], "group": rows[plan.group]}
    for period in ("before", "during"):
        first, last = getattr(plan, period)
        columns[period] = rows["tickets"].where(
            rows["day"].between(pd.Timestamp(first), pd.Timestamp(last)), 0
        )
    units = pd.DataFrame(columns).groupby(["unit", "group"], as_index=False, sort=True).sum()
    units = units[(units["unit"] != "") & (units["before"] + units["during"] > 0)].reset_index(drop=True)
    return units.assign(arm=units["group"].map(arms))[["unit", "group", "arm", "before", "during"]]


def _unit_problems(units: pd.DataFrame, plan: PilotPlan, *, ends: date) -> list[str]:
    if units.empty:
        return [f"{plan.unit} is empty in every ticket of both windows: map it, or choose another `unit`"]
    problems = [
        f"{plan.unit} {unit!r} must belong to one {plan.group}, not {' and '.join(sorted(groups))}"
        for unit, groups in units.groupby("unit")["group"]
        if len(groups) > 1
    ]
    totals = units.groupby("unit")[["before", "during"]].sum()
    if totals.to_numpy().max() <= 1:
        return [
            f"`unit` must be what was assigned to an arm, such as team, not {plan.unit}: each has a single "
            "ticket, and a p-value on tickets calls 65 to 76 of 100 pilots without any effect significant"
        ]
    # a running pilot may still receive its tickets
    for period in ("before", "during") if ends > plan.during[1] else ("before",):
        first, last = getattr(plan, period)
        problems += [
            f"{plan.unit} {unit!r} has no ticket in `{period}` ({first} to {last}): "
            "leave it out with [source.exclude] or change the window"
            for unit in totals.index[totals[period] == 0]
        ]
    return problems

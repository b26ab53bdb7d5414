"""Is a pilot worth running: what the client's own history says it could show."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import pandas as pd

from csimprove.pilot.result import Reason, records
from csimprove.settings import PilotPlan

#: Fewer placebos that do not overlap than this are not enough history.
ENOUGH_PLACEBOS = 20


@dataclass(frozen=True, slots=True, eq=False)
class PilotDesign:
    """What the planned pilot could show, tried out on the time before it.

    Parameters
    ----------
    units
        Columns ``unit, group, arm, tickets_per_week`` and one per metric of the plan (its value in the
        history): who takes part and how alike the arms are.
    balance
        Columns ``measure, pilot, control, difference, standardised``: mean of the units of each arm in the
        history, their difference, and that divided by the sd over units. First row: ``tickets_per_week``.
    variation
        Columns ``metric, value`` (pooled rate or mean), ``unit_sd`` (sd between units), ``drift_sd`` (unit by
        period), ``group_drift_sd`` (group by period), ``icc_unit, icc_drift`` (0-1: share of the variance of
        a single ticket), ``weeks`` (length of the periods they were fitted on).
    power
        One row a metric, length and assignment. Columns ``metric, assignment`` (``planned``; ``spread``:
        units drawn one by one), ``weeks`` (length of the pilot), ``units_pilot, units_control, placebos``
        (tried), ``independent`` (of them not overlapping), ``enough`` (at least 20 independent),
        ``false_alarms`` (share of placebos whose 95 % interval excludes 0), ``false_low, false_high``
        (Wilson, by the independent ones), ``se`` (sd of the placebo effects), ``detectable`` (smallest true
        gain whose interval lies above 0 in 80 % of placebos), ``needed_for_go`` (the same above the minimum
        gain; co-primaries), ``power`` (share of placebos in which a true gain as large as the minimum is seen
        above 0), ``modelled`` (the history cannot hold it: from the fitted variance components; then there
        are no placebos).
    smallest_pvalue
        Of the planned arms.
    history
        First and last day used.
    advice
        By code, with this client's numbers: ``spread`` (values ``metric, weeks, se_planned, se_spread,
        false_planned, false_spread, detectable_planned, detectable_spread, modelled``) when the pilot is one
        group, ``not_enough_history`` (``independent, needed``), ``too_few_units`` (``units_pilot,
        units_control, smallest_pvalue``), ``longer`` (``metric, weeks, detectable, minimum_gain``: the
        shortest length tried that would detect the minimum gain) or ``cannot_detect`` (the same, none would),
        ``detects`` (``metric, weeks, detectable, minimum_gain``: the planned length does).
    plan
        What is planned.
    """

    units: pd.DataFrame
    balance: pd.DataFrame
    variation: pd.DataFrame
    power: pd.DataFrame
    smallest_pvalue: float
    history: tuple[date, date]
    advice: tuple[Reason, ...]
    plan: PilotPlan

    def to_frame(self) -> pd.DataFrame:
        """Return `power`."""
        return self.power

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain numbers, texts, lists and dicts; missing numbers are ``None``."""
        return {
            "units": records(self.units),
            "balance": records(self.balance),
            "variation": records(self.variation),
            "power": records(self.power),
            "smallest_pvalue": self.smallest_pvalue,
            "history": [day.isoformat() for day in self.history],
            "advice": [asdict(reason) for reason in self.advice],
            "plan": self.plan.model_dump(mode="json"),
        }

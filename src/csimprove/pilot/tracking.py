"""A running pilot day by day: sums to watch, nothing to decide by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from csimprove.settings import PilotPlan

if TYPE_CHECKING:  # annotations only
    from csimprove.metrics import Measures


def daily_arms(measures: Measures, plan: PilotPlan) -> pd.DataFrame:
    """Return both arms day by day, pooled over their tickets.

    Parameters
    ----------
    measures
        Sums per day, unit and stratum as of a moment.
    plan
        Arms, windows, metrics.

    Returns
    -------
    pandas.DataFrame
        One row a metric, day of opening and arm with tickets: ``metric, day, arm, numerator, denominator``
        (decided tickets), ``undecided, value`` (NaN without a decided ticket).

    Raises
    ------
    SettingsError
        If a metric or a cut of the plan is not in the measures.
    """
    rows = measures.pooled(
        "day",
        plan.group,
        metrics=plan.metrics,
        first=plan.before[0],
        last=plan.during[1],
        where={plan.group: (*plan.pilot, *plan.control)},
    )
    rows["arm"] = np.where(rows[plan.group].isin(plan.pilot), "pilot", "control")
    sums = ["numerator", "denominator", "undecided"]
    table = rows.groupby(["metric", "day", "arm"], as_index=False, sort=False)[sums].sum()
    return table.assign(value=table["numerator"] / table["denominator"].where(table["denominator"] > 0))

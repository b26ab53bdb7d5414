"""How long things took in both arms, before and during the pilot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from csimprove.inference import DurationSummary
from csimprove.settings import PilotPlan

if TYPE_CHECKING:  # annotations only
    from csimprove.metrics import Measures


def pilot_durations(measures: Measures, plan: PilotPlan) -> pd.DataFrame:
    """Return how long first responses and resolutions took, open tickets included.

    Parameters
    ----------
    measures
        Sums as of a moment, with the tickets behind them.
    plan
        Arms and windows.

    Returns
    -------
    pandas.DataFrame
        One row a measure, clock, arm and period: ``measure, clock, arm, period`` (``before`` or ``during``)
        and the fields of `csimprove.inference.DurationSummary`; empty if the measures know no durations.

    Notes
    -----
    Whole arms, not teams: the intervals take tickets as independent and are too narrow to compare arms by.
    """
    names = ["measure", "clock", "arm", "period"]
    parts = []
    for arm, groups in (("pilot", plan.pilot), ("control", plan.control)):
        for period, (first, last) in (("before", plan.before), ("during", plan.during)):
            found = measures.duration_summary(first=first, last=last, where={plan.group: groups})
            parts.append(found.assign(arm=arm, period=period))
    table = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    table = table.sort_values(["measure", "clock"], kind="stable", ignore_index=True)
    return table[[*names, *DurationSummary.__dataclass_fields__]]

"""Sums of every metric by day, unit and stratum as one array: any two windows in a moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimprove.inference import Floats
from csimprove.pilot.effects import Sums, ratio
from csimprove.settings import PilotPlan

if TYPE_CHECKING:  # annotations only
    from csimprove.metrics import Measures, Metric

Window = tuple[date, date]


@dataclass(frozen=True, slots=True, eq=False)
class Daily:
    """Running sums over days from ``first``.

    ``totals`` has shape (3: numerator, decided, undecided; metrics; days + 1; units; strata): the sum of the
    days before. ``units`` are their names, ``treated`` is true for the pilot's.
    """

    metrics: tuple[Metric, ...]
    first: date
    totals: Floats
    units: tuple[str, ...]
    treated: NDArray[np.bool_]

    @property
    def last(self) -> date:
        """Last day of the sums."""
        return self.first + timedelta(days=self.totals.shape[2] - 2)

    def _over(self, window: Window) -> Floats:
        start, end = ((day - self.first).days for day in window)
        top = self.totals.shape[2] - 1
        return self.totals[:, :, min(max(end + 1, 0), top)] - self.totals[:, :, min(max(start, 0), top)]

    def window_sums(self, before: Window, after: Window) -> list[Sums]:
        """Return the sums of two windows, days included, one a metric."""
        numerator, decided, undecided = np.stack([self._over(before), self._over(after)], axis=2)
        return [
            Sums(metric, numerator[place], decided[place], undecided[place], self.treated, self.units)
            for place, metric in enumerate(self.metrics)
        ]

    def weekly_rates(self, place: int, firsts: list[date]) -> tuple[Floats, Floats, Floats]:
        """Return decided and eligible tickets and crude rates (NaN without) of a metric: (weeks, units)."""
        weeks = np.stack(
            [self._over((day, day + timedelta(days=6)))[:, place].sum(axis=2) for day in firsts], axis=1
        )
        numerator, decided, undecided = weeks
        return decided, decided + undecided, ratio(numerator, decided)


def daily(measures: Measures, plan: PilotPlan, units: pd.DataFrame, *, over: Window | None = None) -> Daily:
    """Return the daily sums of the plan's units, from the start of ``before`` to the end of ``during``."""
    first, last = over or (plan.before[0], plan.during[1])
    rows = measures.pooled(
        *dict.fromkeys(("day", plan.unit, *plan.strata)),
        metrics=plan.metrics,
        first=first,
        last=last,
        where={plan.group: (*plan.pilot, *plan.control), plan.unit: tuple(units["unit"])},
    )
    day = (rows["day"] - pd.Timestamp(first)).dt.days.to_numpy() + 1
    summed = cubes(rows, plan, units, day, (last - first).days + 2)
    return Daily(
        metrics=tuple(measures.metric(name) for name in plan.metrics),
        first=first,
        totals=summed.cumsum(axis=2),
        units=tuple(units["unit"]),
        treated=(units["arm"] == "pilot").to_numpy(),
    )


def cubes(
    rows: pd.DataFrame, plan: PilotPlan, units: pd.DataFrame, time: NDArray[np.integer], length: int
) -> Floats:
    """Return sums (3: numerator, decided, undecided; metrics; times; units; strata), ``time`` by row."""
    stratum = rows.groupby(list(plan.strata)).ngroup().to_numpy() if plan.strata else np.zeros(len(rows), int)
    place = (
        pd.Index(plan.metrics).get_indexer(pd.Index(rows["metric"])),
        time,
        pd.Index(units["unit"]).get_indexer(pd.Index(rows[plan.unit])),
        stratum,
    )
    found = np.zeros((3, len(plan.metrics), length, len(units), int(stratum.max(initial=0)) + 1))
    for cube, column in zip(found, ("numerator", "denominator", "undecided"), strict=True):
        np.add.at(cube, place, rows[column].to_numpy(dtype=float))
    return found

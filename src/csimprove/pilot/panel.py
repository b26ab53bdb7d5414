"""A pilot in data that are not tickets: one row a unit and period."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from csimprove.inference import TeamTest
from csimprove.pilot.result import Reason, Status, Verdict, records


@dataclass(frozen=True, slots=True, eq=False)
class PanelResult:
    """Pilot against control on units x periods.

    Parameters
    ----------
    verdict, reason
        ``go``, ``stop`` or ``cannot_tell``, and the one reason that decided: ``too_few_units``,
        ``co_primary_harmed``, ``gain_too_small``, ``both_worth_having`` or ``nothing_left_to_extend``.
    status
        Of the one outcome, as for a co-primary metric.
    effect, test
        Mean change of the pilot's units minus that of the controls; its Welch test, ``None`` with too few
        units.
    pvalue
        Exact permutation; ``None`` with too few units.
    smallest_pvalue
        The smallest that the design can give.
    placebo_rank, placebo_of, placebo_share
        With every other choice of as many units as the pilot has taken for the pilot: how many effects are at
        least as large as the true one (itself included), of how many, and their share. This is shown even
        with too few units: it is a rank, not a verdict.
    units
        Columns ``unit, arm, before, during, change``.
    left_out
        Units without a value in one of the two periods.
    """

    verdict: Verdict
    reason: Reason
    status: Status
    effect: float
    test: TeamTest | None
    pvalue: float | None
    smallest_pvalue: float
    placebo_rank: int
    placebo_of: int
    placebo_share: float
    units: pd.DataFrame
    left_out: tuple[str, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return `units`."""
        return self.units

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain numbers, texts, lists and dicts; missing numbers are ``None``."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        values |= {
            "reason": asdict(self.reason),
            "units": records(self.units),
            "left_out": list(self.left_out),
        }
        return values | {"test": asdict(self.test) if self.test else None}

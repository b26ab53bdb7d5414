"""Intervals and tests on small numbers of rates, means and teams: pure functions that know no tickets."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TeamTest:
    """Difference of the means of two groups of teams, first minus second.

    Parameters
    ----------
    effect, se
        The difference and its standard error, in the values' unit.
    df, t, pvalue
        Degrees of freedom, ``effect / se`` and the two-sided p-value of the t distribution.
    ci_low, ci_high
        Interval of the effect.
    """

    effect: float
    se: float
    df: float
    t: float
    pvalue: float
    ci_low: float
    ci_high: float

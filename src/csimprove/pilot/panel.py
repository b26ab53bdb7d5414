"""A pilot in data that are not tickets: one row a unit and period."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from csimprove import inference
from csimprove.inference import TeamTest
from csimprove.pilot import effects
from csimprove.pilot.result import Reason, Status, Verdict
from csimprove.pilot.roster import refuse
from csimprove.plain import Plain


@dataclass(frozen=True, slots=True, eq=False)
class PanelResult(Plain):
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


def pilot_panel(
    frame: pd.DataFrame,
    *,
    unit: str,
    period: str,
    pilot: Sequence[Any],
    during: Sequence[Any],
    numerator: str | None = None,
    denominator: str | None = None,
    mean: str | None = None,
    n: str | None = None,
    rate: str | None = None,
    minimum_gain: float,
    better: Literal["higher", "lower"] = "higher",
    rng: np.random.Generator,
) -> PanelResult:
    """Compare units that got the process with units that did not, from a table of units x periods.

    Parameters
    ----------
    frame
        One row a unit and period.
    unit, period
        Columns of the unit (region, state, shop) and of the period.
    pilot
        Units of the pilot; all others are the control.
    during
        Periods of the pilot; all others are before it. The order of periods does not matter.
    numerator, denominator, mean, n, rate
        Columns of the outcome: ``numerator`` and ``denominator``; or ``mean`` and ``n``, what it is the mean
        of; or ``rate`` alone, a share or mean of unknown size: then every period of a unit counts the same.
    minimum_gain
        Smallest gain worth having, in the outcome's unit, above 0.
    better
        The good side.
    rng
        For designs with more than 200,000 assignments.

    Returns
    -------
    PanelResult
        Verdict, effect, and its rank among placebos.

    Raises
    ------
    SettingsError
        If the table or what is asked does not fit; the message lists every reason.

    Notes
    -----
    The analysis of :func:`csimprove.pilot.pilot`, without strata: change scores of units, Welch, exact
    permutation, the same rule for too few units.

    Examples
    --------
    >>> rows = [(shop, week, 80 + 9 * (shop in "AB" and week > 1)) for shop in "ABCDEF" for week in (1, 2)]
    >>> found = pilot_panel(
    ...     pd.DataFrame(rows, columns=["shop", "week", "share"]).assign(share=lambda t: t["share"] / 100),
    ...     unit="shop", period="week", pilot=["A", "B"], during=[2], rate="share", minimum_gain=0.05,
    ...     rng=np.random.default_rng(1),
    ... )
    >>> found.verdict, found.reason.code, round(found.effect, 3), found.placebo_rank, found.placebo_of
    ('cannot_tell', 'too_few_units', 0.09, 1, 15)
    """
    outcome = tuple(
        pair for pair in ((numerator, denominator), (mean, n), (rate, rate)) if pair != (None, None)
    )
    problems = _problems(frame, (unit, period), outcome, pilot, during, minimum_gain)
    refuse("`frame` must be units x periods", list(problems))
    ((value, weight),) = outcome
    weights = frame[weight] if value != weight else frame[value].notna().astype(float)
    sums = frame[value] * (weights if mean else 1)
    period_of = np.where(frame[period].isin(list(during)), "during", "before")
    rows = pd.DataFrame({"unit": frame[unit], "period": period_of, "sum": sums, "weight": weights})
    table = _units(rows, pilot)
    usable = table[["before", "during"]].notna().all(axis=1)
    kept = table[usable].reset_index(drop=True)
    treated = (kept["arm"] == "pilot").to_numpy()
    changes = kept["change"].to_numpy(dtype=float)
    arms = int(treated.sum()), int((~treated).sum())
    test = inference.welch(changes[treated], changes[~treated])
    permutation = inference.exact_permutation(changes, treated, rng=rng)
    shown = effects.enough(*arms)
    verdict, reason, status = _verdict(test, arms, minimum_gain, better)
    return PanelResult(
        verdict=verdict,
        reason=reason,
        status=status,
        effect=test.effect,
        test=test if shown else None,
        pvalue=permutation.pvalue if shown else None,
        smallest_pvalue=permutation.smallest,
        placebo_rank=round(permutation.pvalue * permutation.assignments),
        placebo_of=permutation.assignments,
        placebo_share=permutation.pvalue,
        units=kept,
        left_out=tuple(table.loc[~usable, "unit"].astype(str)),
    )


def _problems(
    frame: pd.DataFrame,
    keys: tuple[str, str],
    outcome: tuple[tuple[str | None, str | None], ...],
    pilot: Sequence[Any],
    during: Sequence[Any],
    minimum_gain: float,
) -> Iterator[str]:
    if minimum_gain <= 0:
        yield f"`minimum_gain` must be above 0, not {minimum_gain:g}"
    if len(outcome) != 1 or None in outcome[0]:
        yield "the outcome must be `numerator` and `denominator`, or `mean` and `n`, or `rate` alone"
    named = (name for pair in outcome for name in dict.fromkeys(pair))
    missing = [name for name in (*keys, *named) if name is not None and name not in frame]
    yield from (f"column {name!r} is not there: {', '.join(map(str, frame.columns))}" for name in missing)
    if missing:
        return
    for what, key, chosen in (("pilot", keys[0], pilot), ("during", keys[1], during)):
        known = set(frame[key])
        yield from (f"`{what}` {name!r} is not in column {key!r}" for name in chosen if name not in known)
        if not known - set(chosen) or not known & set(chosen):
            yield f"`{what}` must name some of the values of {key!r}, and not all"
    if (frame.groupby(keys[0])[keys[1]].nunique() < 2).all():
        yield (
            f"`unit` must be what was assigned to an arm and is there before and during, not {keys[0]!r}: "
            "each occurs in one period. A p-value on single tickets calls 65 to 76 of 100 pilots without any "
            "effect significant: sum them by team"
        )
    twice = frame.duplicated(list(keys))
    if twice.any():
        yield f"a {keys[0]} must have one row a {keys[1]}, but {int(twice.sum())} rows repeat one: sum them"


def _units(rows: pd.DataFrame, pilot: Sequence[Any]) -> pd.DataFrame:
    """Return one row a unit: the pooled value of the periods before and during."""
    names = pd.Index(sorted(set(rows["unit"])), name="unit")
    table = pd.DataFrame(index=names)
    for period in ("before", "during"):
        chosen = rows[rows["period"] == period].dropna()
        sums = chosen.groupby("unit")[["sum", "weight"]].sum().reindex(names)
        table[period] = sums["sum"] / sums["weight"].where(sums["weight"] > 0)
    arm = np.where(names.isin(list(pilot)), "pilot", "control")
    table = table.assign(arm=arm, change=table["during"] - table["before"]).reset_index()
    return table[["unit", "arm", "before", "during", "change"]]


def _verdict(
    test: TeamTest, arms: tuple[int, int], minimum_gain: float, better: str
) -> tuple[Verdict, Reason, Status]:
    if not effects.enough(*arms):
        return "cannot_tell", effects.too_few(*arms), "no_interval"
    status = effects.judge("co_primary", better, test.ci_low, test.ci_high, asked=minimum_gain)
    verdict, code = _ENDS[status]
    numbers = {"effect": test.effect, "ci_low": test.ci_low, "ci_high": test.ci_high, "asked": minimum_gain}
    return verdict, Reason(code, {**numbers}), status


_ENDS: dict[Status, tuple[Verdict, str]] = {
    "harmed": ("stop", "co_primary_harmed"),
    "too_small": ("stop", "gain_too_small"),
    "worth_having": ("go", "both_worth_having"),
    "not_shown": ("cannot_tell", "nothing_left_to_extend"),
}

"""From sums per unit, period and stratum to what the pilot did to each metric."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from csimprove import inference
from csimprove.inference import Floats, Permutation, TeamTest
from csimprove.pilot.result import UNEQUAL, Cell, PilotMetric, Reason, Role, Routing, Status, TargetStatus

if TYPE_CHECKING:  # annotations only
    from csimprove.metrics import Metric
    from csimprove.settings import PilotPlan

#: Fewer pilot units, fewer units in all or a larger smallest p-value than this: no interval and no p-value.
PILOT_UNITS = 3
UNITS = 6
LEVEL = 0.05

#: Strata with fewer expected tickets in the smallest unit-period are merged into one.
THIN_STRATUM = 5

Basis = Literal["standardised", "crude"]


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums of one metric, arrays of shape (2 periods, units, strata); ``treated`` is true for pilot units.

    ``units`` are their names, if they matter.
    """

    metric: Metric
    numerator: Floats
    decided: Floats
    undecided: Floats
    treated: NDArray[np.bool_]
    units: tuple[str, ...] = ()

    def of(self, kept: NDArray[np.bool_], treated: NDArray[np.bool_]) -> Sums:
        """Return the sums of some units, with other ones taken for the pilot."""
        numerator, decided, undecided = (
            part[:, kept] for part in (self.numerator, self.decided, self.undecided)
        )
        return Sums(self.metric, numerator, decided, undecided, treated[kept])


@dataclass(frozen=True, slots=True)
class Estimate:
    """Effect before roles and corrections; arrays of shape (2 periods, units), NaN if unusable."""

    basis: Basis
    rates: Floats
    test: TeamTest
    crude_rates: Floats
    crude: TeamTest
    mix_effect: float
    strata: int
    renormalised: int
    units_pilot: int
    units_control: int
    permutation: Permutation


def standardised(numerator: Floats, decided: Floats) -> tuple[Floats, int, int]:
    """Standardise each unit's values to the mix of all units in the period before.

    Parameters
    ----------
    numerator, decided
        Sums of shape (2 periods, units, strata).

    Returns
    -------
    tuple
        Values of shape (2, units), NaN without a usable ticket; number of strata after merging the thin ones;
        number of unit-periods that lack a stratum, for which the weights of the others are scaled up.

    Notes
    -----
    Direct standardisation; the crude change minus the standardised one is the part that the mix explains
    (Kitagawa 1955, Journal of the American Statistical Association 50:1168-1194).
    """
    size = decided.sum(axis=2)
    smallest = size[:, (size > 0).all(axis=0)].min(initial=np.inf)
    mix = decided[0].sum(axis=0)
    with np.errstate(invalid="ignore"):  # an empty stratum, or no unit with tickets in both periods
        thin = ~(mix * smallest >= THIN_STRATUM * mix.sum())
    if thin.any():
        numerator, decided = (_merged(part, thin) for part in (numerator, decided))
    mix = decided[0].sum(axis=0)
    there = decided > 0
    rates = np.divide(numerator, decided, out=np.zeros_like(numerator), where=there)
    weight = (mix * there).sum(axis=2)
    values = ratio((mix * rates).sum(axis=2), weight)
    lacking = ((~there & (mix > 0)).any(axis=2) & (weight > 0)).sum()
    return values, decided.shape[2], int(lacking)


def ratio(total: Floats, size: Floats) -> Floats:
    """Return ``total / size``; NaN where ``size`` is 0."""
    values: Floats = np.divide(total, size, out=np.full_like(total, np.nan), where=size > 0)
    return values


def estimate(sums: Sums, *, basis: Basis, rng: np.random.Generator) -> Estimate:
    """Compare the changes of the pilot's units with those of the controls.

    Notes
    -----
    The effect is the difference of the unweighted means of the units' changes, with a Welch interval and an
    exact permutation test over units: the unit, not the ticket, is what was assigned.
    """
    crude_values, (standard_values, strata, renormalised) = (
        _crude(sums),
        standardised(sums.numerator, sums.decided),
    )
    values = standard_values if basis == "standardised" else crude_values
    usable = np.isfinite(standard_values).all(axis=0)
    treated = sums.treated[usable]
    crude, standard = (_welch(part[:, usable], treated) for part in (crude_values, standard_values))
    pilot, control = int(treated.sum()), int((~treated).sum())
    changes = np.diff(values[:, usable], axis=0)[0]
    return Estimate(
        basis=basis,
        rates=np.where(usable, values, np.nan),
        test=standard if basis == "standardised" else crude,
        crude_rates=crude_values,
        crude=crude,
        mix_effect=crude.effect - standard.effect,
        strata=strata,
        renormalised=renormalised,
        units_pilot=pilot,
        units_control=control,
        permutation=inference.exact_permutation(changes, treated, rng=rng),
    )


def unit_values(sums: Sums, basis: Basis) -> tuple[Floats, NDArray[np.bool_], NDArray[np.bool_]]:
    """Return the usable units' values (2 periods, units), which of them are the pilot's, which are usable."""
    crude = _crude(sums)
    values = standardised(sums.numerator, sums.decided)[0] if basis == "standardised" else crude
    usable = np.asarray(np.isfinite(crude).all(axis=0))
    return values[:, usable], sums.treated[usable], usable


def widened(found: Estimate, z: float) -> Estimate:
    """Return the estimate with intervals as wide as a bound ``z`` asks: t quantiles of its nominal p."""

    def wide(test: TeamTest) -> TeamTest:
        half = float(inference.nominal_t(z, test.df)) * test.se
        return replace(test, ci_low=test.effect - half, ci_high=test.effect + half)

    return replace(found, test=wide(found.test), crude=wide(found.crude))


def enough(pilot: int, control: int) -> bool:
    """Whether so many units can carry an interval and a p-value."""
    return (
        pilot >= PILOT_UNITS
        and pilot + control >= UNITS
        and inference.smallest_pvalue(pilot, control) <= LEVEL
    )


def describe(
    sums: Sums,
    found: Estimate,
    *,
    role: Role,
    asked: float | None,
    weeks: float,
    last_look: bool,
    pvalue_holm: float | None,
    confidence: float = 0.95,
) -> PilotMetric:
    """Put an estimate into the words of the plan: role, what was asked, status, tickets a week."""
    metric, treated = sums.metric, sums.treated
    shown = enough(found.units_pilot, found.units_control)
    low, high = (found.test.ci_low, found.test.ci_high) if shown else (math.nan, math.nan)
    eligible = sums.decided + sums.undecided
    shares = _decided_shares(sums)
    gap = float(np.nanmax(shares) - np.nanmin(shares)) if np.isfinite(shares).any() else 0.0
    weekly = float(eligible[1, treated].sum()) / weeks if metric.kind == "rate" else math.nan
    return PilotMetric(
        metric=metric.name,
        role=role,
        unit=metric.unit,
        better=metric.better,
        **_cells(sums),
        basis=found.basis,
        effect=number(found.test.effect),
        ci_low=number(low),
        ci_high=number(high),
        pvalue=found.permutation.pvalue if shown and last_look else None,
        pvalue_holm=pvalue_holm if shown and last_look else None,
        smallest_pvalue=found.permutation.smallest,
        crude_effect=number(found.crude.effect),
        crude_ci_low=number(found.crude.ci_low) if shown else None,
        crude_ci_high=number(found.crude.ci_high) if shown else None,
        mix_effect=number(found.mix_effect),
        strata=found.strata,
        renormalised=found.renormalised,
        units_pilot=found.units_pilot,
        units_control=found.units_control,
        asked=asked,
        **_level(metric, found.crude_rates[1, treated]),
        status=judge(role, metric.better, low, high, asked=asked, pvalue_holm=pvalue_holm),
        tickets_per_week=number(found.test.effect * weekly),
        tickets_low=number(low * weekly),
        tickets_high=number(high * weekly),
        information=float(np.nan_to_num(shares[1]).min()),
        confidence=confidence,
        decided_gap=gap,
        unequally_decided=gap > UNEQUAL,
        variant=metric.variant,
    )


def roles(plan: PilotPlan) -> dict[str, Role]:
    """Return metric = role, in the order of the plan."""
    return {
        **dict.fromkeys(plan.co_primary, "co_primary"),
        **dict.fromkeys(plan.secondary, "secondary"),
        **dict.fromkeys(plan.guardrail, "guardrail"),
    }


def too_few(pilot: int, control: int, **about: str) -> Reason:
    """Return the reason that so many units carry neither an interval nor a p-value."""
    smallest = inference.smallest_pvalue(pilot, control)
    values = {"units_pilot": pilot, "units_control": control, "smallest_pvalue": smallest}
    return Reason("too_few_units", values | about)


def moved(code: str, test: TeamTest | Routing, margin: float, **about: str) -> Reason:
    """Return the reason that volume or mix of tickets moved further than the margin."""
    limits = {"change": test.effect, "ci_low": test.ci_low, "ci_high": test.ci_high, "margin": margin}
    return Reason(code, about | limits)


def judge(
    role: Role,
    better: str,
    low: float,
    high: float,
    *,
    asked: float | None,
    pvalue_holm: float | None = None,
) -> Status:
    """Say what an interval shows, by the role of its metric."""
    if math.isnan(low):
        return "no_interval"
    worst, best = (low, high) if better == "higher" else (-high, -low)
    if role == "secondary":
        if pvalue_holm is None or pvalue_holm > LEVEL or worst <= 0 <= best:
            return "not_shown"
        return "better" if worst > 0 else "worse"
    bar = asked or 0.0
    if role == "guardrail":
        # inside the margin is safe even when a small harm is certain: that is what a margin means
        if worst > -bar:
            return "safe"
        return "harmed" if best < 0 else "not_shown_safe"
    if best < 0:
        return "harmed"
    return "too_small" if best < bar else "worth_having" if worst > bar else "not_shown"


def _crude(sums: Sums) -> Floats:
    return ratio(sums.numerator.sum(axis=2), sums.decided.sum(axis=2))


def _merged(part: Floats, thin: NDArray[np.bool_]) -> Floats:
    return np.concatenate([part[..., ~thin], part[..., thin].sum(axis=-1, keepdims=True)], axis=-1)


def _welch(values: Floats, treated: NDArray[np.bool_]) -> TeamTest:
    changes = values[1] - values[0]
    return inference.welch(changes[treated], changes[~treated])


def number(value: float) -> float | None:
    """Return a number that is one, else ``None``."""
    return float(value) if math.isfinite(value) else None


def _cells(sums: Sums) -> dict[str, Any]:
    cells = {}
    for arm, chosen in (("pilot", sums.treated), ("control", ~sums.treated)):
        for period, name in enumerate(("before", "during")):
            total, decided, undecided = (
                float(part[period, chosen].sum()) for part in (sums.numerator, sums.decided, sums.undecided)
            )
            value = total / decided if decided else None
            cells[f"{arm}_{name}"] = Cell(total, int(decided), int(undecided), value)
    return cells


def _decided_shares(sums: Sums) -> Floats:
    """Share of decided tickets by period and arm; NaN without a ticket."""
    decided, eligible = (
        np.stack([part[:, arm].sum(axis=(1, 2)) for arm in (sums.treated, ~sums.treated)], axis=1)
        for part in (sums.decided, sums.decided + sums.undecided)
    )
    return ratio(decided, eligible)


def _level(metric: Metric, during: Floats) -> dict[str, Any]:
    """Where the pilot's units stand, and whether that is at the target."""
    level, low, high = inference.one_sample_t(during[np.isfinite(during)])
    if metric.kind == "rate":
        low, high = max(low, 0.0), min(high, 1.0)
    status: TargetStatus | None = None
    if metric.target is not None:
        above = (low, high) if metric.better == "higher" else (-high, -low)
        target = metric.target if metric.better == "higher" else -metric.target
        status = "reached" if above[0] >= target else "not_reached" if above[1] < target else "cannot_tell"
    return {
        "level": number(level),
        "level_low": number(low),
        "level_high": number(high),
        "target": metric.target,
        "target_status": status,
    }

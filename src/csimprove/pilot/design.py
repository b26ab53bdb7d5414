"""Is a pilot worth running: what the client's own history says it could show."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from csimprove import inference
from csimprove.errors import SettingsError
from csimprove.inference import Floats
from csimprove.pilot import effects
from csimprove.pilot.daily import Daily, Window, daily
from csimprove.pilot.effects import Basis, Sums
from csimprove.pilot.result import Reason, choose
from csimprove.pilot.roster import roster
from csimprove.plain import Plain
from csimprove.settings import PilotPlan

if TYPE_CHECKING:  # annotations only
    from csimprove.metrics import Measures

#: Lengths of a pilot that are tried, in weeks.
LENGTHS = (1, 2, 3, 4, 5, 6, 7, 8)

#: Fake pilots per start, where there are more choices than that.
FAKES = 200

#: Chance with which a detectable gain is seen.
POWER = 0.8

#: What a row of the power table says; NaN what is not known.
_SHOWN = ("false_alarms", "false_low", "false_high", "se", "detectable", "needed_for_go", "power")

#: Fewer placebos that do not overlap than this are not enough history.
ENOUGH_PLACEBOS = 20


@dataclass(frozen=True, slots=True, eq=False)
class PilotDesign(Plain):
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
    traits
        Metric = its variant and its unit, of the metrics of the plan.
    """

    units: pd.DataFrame
    balance: pd.DataFrame
    variation: pd.DataFrame
    power: pd.DataFrame
    smallest_pvalue: float
    history: tuple[date, date]
    advice: tuple[Reason, ...]
    plan: PilotPlan
    traits: dict[str, tuple[str, str]] = field(default_factory=dict)

    def choose(self, metric: str | None = None) -> str:
        """Return a metric of the plan, checked; ``None`` chooses the first co-primary (:func:`choose`)."""
        return choose(self.plan, metric)

    def to_frame(self) -> pd.DataFrame:
        """Return `power`."""
        return self.power


def pilot_design(
    measures: Measures, *, plan: PilotPlan, rng: np.random.Generator, lengths: Sequence[int] = LENGTHS
) -> PilotDesign:
    """Try the planned analysis on the time before the pilot, where nothing happened.

    Parameters
    ----------
    measures
        Sums per day, unit and stratum; only days before the pilot's start are used.
    plan
        Arms, windows, metrics with roles, what is asked of them.
    rng
        Draws the fake pilots where there are too many to try all.
    lengths
        Lengths of the pilot to try, in weeks; the planned one is always among them.

    Returns
    -------
    PilotDesign
        Units and balance, variation, power by length and number of units, advice.

    Raises
    ------
    SettingsError
        If the plan does not fit the data, or fewer than 2 weeks lie before the pilot.

    Notes
    -----
    A placebo is a start that never was (every 7 days) with a pilot that never was (whole groups for a plan by
    groups, any units for ``spread``) through the analysis of :func:`csimprove.pilot.pilot`: standardised
    change scores of units, Welch. The period before keeps its planned length. Two placebos do not overlap
    when they share neither a day nor a unit of the pilot. A length that the history cannot hold is modelled:
    variance of an effect = unit-by-period and group-by-period drift, fitted on adjacent periods, plus the
    sampling of tickets.
    """
    first = plan.history or measures.frame["day"].min().date()
    last = min(plan.during[0] - timedelta(days=1), measures.frame["day"].max().date())
    weeks = ((last - first).days + 1) // 7
    if weeks < 2:
        raise SettingsError(
            f"`pilot.during` must start at least 2 weeks after the first ticket, not {plan.during[0]} "
            f"after {first}. Map older tickets to have a history."
        )
    first = last - timedelta(days=7 * weeks - 1)
    units = roster(measures, plan.model_copy(update={"before": (first, last), "history": None}))
    trial = _Trial(daily(measures, plan, units, over=(first, last)), plan, units, weeks, rng)
    variation = pd.DataFrame([_variation(trial, place, measures) for place in range(len(plan.metrics))])
    planned = max(1, round(((plan.during[1] - plan.during[0]).days + 1) / 7))
    power = list(_power(trial, sorted({*lengths, planned}), planned, variation))
    table, balance = _balance(trial, units)
    pilot, control = trial.arms
    return PilotDesign(
        units=table,
        balance=balance,
        variation=variation,
        power=pd.DataFrame(power),
        smallest_pvalue=inference.smallest_pvalue(pilot, control),
        history=(first, last),
        advice=tuple(_advice(trial, power, planned)),
        plan=plan,
        traits={metric.name: (metric.variant, metric.unit) for metric in trial.days.metrics},
    )


class _Trial:
    """The history of a plan's units, and who could have been the pilot in it."""

    def __init__(
        self, days: Daily, plan: PilotPlan, units: pd.DataFrame, weeks: int, rng: np.random.Generator
    ) -> None:
        self.days, self.plan, self.weeks, self.rng = days, plan, weeks, rng
        self.groups = units["group"].to_numpy()
        self.arms = int(days.treated.sum()), int((~days.treated).sum())
        self.by_units = plan.unit == plan.group
        self.before_weeks = max(1, ((plan.before[1] - plan.before[0]).days + 1) // 7)
        self.basis: Basis = "crude" if plan.crude_reason else "standardised"

    def windows(self, before: int, length: int) -> Iterator[tuple[Window, Window]]:
        """Every pair of adjacent windows of so many weeks, a week apart."""
        for week in range(before, self.weeks - length + 1):
            start = self.days.first + timedelta(days=7 * week)
            ends = start - timedelta(days=7 * before), start + timedelta(days=7 * length - 1)
            yield (ends[0], start - timedelta(days=1)), (start, ends[1])

    def changes(self, before: int, length: int) -> list[list[Floats]]:
        """Change of every unit (NaN if unusable): a list of starts of a list of metrics."""
        return [
            [self._change(sums) for sums in self.days.window_sums(*pair)]
            for pair in self.windows(before, length)
        ]

    def _change(self, sums: Sums) -> Floats:
        values, _, usable = effects.unit_values(sums, self.basis)
        change = np.full(len(usable), np.nan)
        change[usable] = values[1] - values[0]
        return change

    def fakes(self, assignment: str, size: int) -> NDArray[np.bool_]:
        """Pilots that never were, one a row: whole groups, or units drawn one by one."""
        n = len(self.groups)
        if assignment == "spread" or self.by_units:
            picked = self.rng.random((FAKES, n)).argsort(axis=1)[:, :size]
            return np.asarray((picked[:, :, None] == np.arange(n)).any(axis=1))
        names = sorted(set(self.groups))
        rows = [np.isin(self.groups, chosen) for chosen in combinations(names, len(self.plan.pilot))]
        return np.array(rows)[self.rng.permutation(len(rows))[:FAKES]]

    def independent(self, assignment: str, size: int, length: int) -> int:
        """How many placebos share neither a day nor a unit of the pilot."""
        if assignment == "spread" or self.by_units:
            disjoint = len(self.groups) // size
        else:
            disjoint = len(set(self.groups)) // len(self.plan.pilot)
        return self.weeks // (self.before_weeks + length) * disjoint


def _power(
    trial: _Trial, lengths: list[int], planned: int, variation: pd.DataFrame
) -> Iterator[dict[str, Any]]:
    """One row a metric, length and assignment; at the planned length also by number of units."""
    pilot, control = trial.arms
    fewer = [k for k in (3, 4, 5, 6, 8, 10, 12, 15) if k != pilot and k + 3 <= pilot + control]
    for length in lengths:
        found = trial.changes(trial.before_weeks, length)
        sizes = [("planned", pilot), ("spread", pilot)]
        if length == planned:
            sizes += [("spread", size) for size in fewer]
        for assignment, size in sizes:
            fakes = trial.fakes(assignment, size)
            for place, metric in enumerate(trial.days.metrics):
                asked = trial.plan.minimum_gain.get(metric.name, math.nan)
                row: dict[str, Any] = {"metric": metric.name, "assignment": assignment, "weeks": length}
                row |= {"units_pilot": size, "units_control": pilot + control - size, "independent": 0}
                row |= {"placebos": 0, **dict.fromkeys(_SHOWN, math.nan)}
                if found:
                    tried = [_placebos(start[place], fakes) for start in found]
                    effect, half = (np.concatenate(parts) for parts in zip(*tried, strict=True))
                    row["independent"] = trial.independent(assignment, size, length)
                    row |= _observed(effect, half, row["independent"], metric.better, asked)
                else:
                    row |= _modelled(variation.iloc[place], trial, row, asked)
                row["needed_for_go"] = row["detectable"] + asked
                yield row | {"enough": row["independent"] >= ENOUGH_PLACEBOS, "modelled": not found}


def _placebos(change: Floats, fakes: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Effect and half its 95 % Welch interval for every fake pilot; those without an interval left out."""
    usable = np.isfinite(change)
    x = np.where(usable, change - np.nanmean(change) if usable.any() else 0.0, 0.0)
    means, shares, spread = [], [], np.zeros(len(fakes))
    with np.errstate(divide="ignore", invalid="ignore"):
        for chosen in (fakes & usable, ~fakes & usable):
            n = chosen.sum(axis=1)
            mean = chosen @ x / n
            share = np.maximum(chosen @ x**2 / n - mean**2, 0.0) / (n - 1)
            means.append(mean)
            shares.append(share)
            spread += share**2 / (n - 1)
        se2 = shares[0] + shares[1]
        half = stdtrit(se2**2 / spread, 0.975) * np.sqrt(se2)
    there = np.isfinite(half)
    return (means[0] - means[1])[there], half[there]


def _observed(effect: Floats, half: Floats, independent: int, better: str, asked: float) -> dict[str, Any]:
    """Return what the placebos show: false alarms, and the gains that would have been seen."""
    gain = effect if better == "higher" else -effect
    if not len(gain):
        return {}
    false = float((np.abs(effect) > half).mean())
    low, high = inference.wilson(false * independent, independent)
    return {
        "placebos": len(gain),
        "false_alarms": false,
        "false_low": float(low),
        "false_high": float(high),
        "se": float(np.sqrt((effect**2).mean())),
        "detectable": max(0.0, float(np.quantile(half - gain, POWER))),
        "power": math.nan if math.isnan(asked) else float((half - gain < asked).mean()),
    }


def _modelled(variation: pd.Series[Any], trial: _Trial, row: dict[str, Any], asked: float) -> dict[str, Any]:
    """Return the same from the variance components, for a length that the history cannot hold."""
    pilot, control = row["units_pilot"], row["units_control"]
    per_week = variation["ticket_variance"] / variation["tickets_per_week"]
    own = 2 * variation["drift_sd"] ** 2 + per_week * (1 / trial.before_weeks + 1 / row["weeks"])
    shared = 2 * variation["group_drift_sd"] ** 2
    seen = own * (1 / pilot + 1 / control)
    true = seen
    if row["assignment"] == "planned" and not trial.by_units:
        groups = len(trial.plan.pilot), len(set(trial.groups)) - len(trial.plan.pilot)
        true = seen + shared * (1 / groups[0] + 1 / groups[1])
        # the analysis sees how the groups of an arm differ, not how the arms do
        seen += shared * ((1 - 1 / groups[0]) / pilot + (1 - 1 / groups[1]) / control)
    df = pilot + control - 2
    half, se = float(stdtrit(df, 0.975)) * math.sqrt(seen), math.sqrt(true)
    return {
        "false_alarms": 2 * float(stdtr(df, -half / se)) if se else math.nan,
        "se": se,
        "detectable": half + float(ndtri(POWER)) * se,
        "power": float(ndtr((asked - half) / se)) if se else math.nan,
    }


def _variation(trial: _Trial, place: int, measures: Measures) -> dict[str, Any]:
    """Fit what makes units differ and drift, on adjacent periods of the same length."""
    metric = trial.days.metrics[place]
    weeks = min(trial.before_weeks, trial.weeks // 2)
    total = measures.pooled(
        metrics=(metric.name,),
        first=trial.days.first,
        last=trial.days.last,
        where={trial.plan.unit: trial.days.units},
    ).iloc[0]
    n = max(int(total["denominator"]), 1)
    value = total["numerator"] / n
    variance = max(float(total["squares"] / n - value**2), 0.0)
    units, drifts, groups = [], [], []
    for before, after in trial.windows(weeks, weeks):
        sums = trial.days.window_sums(before, after)[place]
        values, _, usable = effects.unit_values(sums, "crude")
        size = sums.decided.sum(axis=2)[:, usable]
        if values.shape[1] < 3:
            continue
        change = pd.Series(values[1] - values[0]).groupby(trial.groups[usable])
        count, within = change.size(), change.var(ddof=1)
        sampling = float((variance / size).sum(axis=0).mean())
        pooled = float((within * (count - 1)).sum() / max((count - 1).sum(), 1))
        drifts.append((pooled - sampling) / 2)
        units.append(values[0].var(ddof=1) - float((variance / size[0]).mean()))
        if len(count) > 1:
            noise = float((max(pooled, sampling) / count).mean())
            groups.append((float(change.mean().var(ddof=1)) - noise) / 2)
    drift, group = (max(0.0, float(np.mean(part))) if part else 0.0 for part in (drifts, groups))
    unit = max(0.0, float(np.mean(units)) - drift) if units else 0.0
    whole = variance + unit + drift
    return {
        "metric": metric.name,
        "value": value,
        "unit_sd": math.sqrt(unit),
        "drift_sd": math.sqrt(drift),
        "group_drift_sd": math.sqrt(group) if not trial.by_units else 0.0,
        "icc_unit": unit / whole if whole else math.nan,
        "icc_drift": drift / whole if whole else math.nan,
        "weeks": weeks,
        "ticket_variance": variance,
        "tickets_per_week": max(n / trial.weeks / len(trial.groups), 1e-9),
    }


def _balance(trial: _Trial, units: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return every unit in the history, and how the arms compare."""
    whole = trial.days.first, trial.days.last
    table = units[["unit", "group", "arm"]].assign(tickets_per_week=units["before"] / trial.weeks)
    for sums in trial.days.window_sums(whole, whole):
        table[sums.metric.name] = effects.ratio(sums.numerator[0].sum(axis=1), sums.decided[0].sum(axis=1))
    rows = []
    for name in table.columns[3:]:
        arms = [table.loc[table["arm"] == arm, name].mean() for arm in ("pilot", "control")]
        sd, difference = table[name].std(), arms[0] - arms[1]
        row = {"measure": name, "pilot": arms[0], "control": arms[1], "difference": difference}
        rows.append({**row, "standardised": difference / sd if sd else math.nan})
    return table, pd.DataFrame(rows)


def _advice(trial: _Trial, power: list[dict[str, Any]], planned: int) -> Iterator[Reason]:
    """Return what the numbers advise, about the design first, then by co-primary."""
    pilot, control = trial.arms
    if not effects.enough(pilot, control):
        yield effects.too_few(pilot, control)
    mine = {
        (row["assignment"], row["metric"], row["weeks"]): row for row in power if row["units_pilot"] == pilot
    }
    known = mine["planned", trial.plan.co_primary[0], planned]
    if not known["enough"]:
        counts = {"independent": known["independent"], "needed": ENOUGH_PLACEBOS}
        yield Reason("not_enough_history", counts)
    for name in trial.plan.co_primary:
        now, spread = (mine[assignment, name, planned] for assignment in ("planned", "spread"))
        if len(trial.plan.pilot) == 1 and not trial.by_units:
            told: dict[str, float | int | str] = {
                "metric": name,
                "weeks": planned,
                "modelled": int(now["modelled"]),
            }
            for short, column in (("se", "se"), ("false", "false_alarms"), ("detectable", "detectable")):
                told |= {f"{short}_planned": now[column], f"{short}_spread": spread[column]}
            yield Reason("spread", told)
        asked = trial.plan.minimum_gain[name]
        longer = [row for key, row in mine.items() if key[:2] == ("planned", name) and key[2] >= planned]
        reached = next((row for row in longer if row["detectable"] <= asked), None)
        code = "cannot_detect" if reached is None else "detects" if reached is now else "longer"
        row = reached or longer[-1]
        numbers = {"weeks": row["weeks"], "detectable": row["detectable"], "minimum_gain": asked}
        yield Reason(code, {"metric": name, **numbers})

"""Where are we: indicators against targets, by every declared cut, week by week, and the gap to the goals."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from csimprove import inference
from csimprove.errors import SettingsError
from csimprove.metrics.customers import YEAR
from csimprove.metrics.definitions import CUSTOMER_METRICS, customer_metrics
from csimprove.plain import records
from csimprove.settings import Settings

if TYPE_CHECKING:  # annotations only: the result needs no engine
    from csimprove.metrics import Measures, Metric
    from csimprove.tickets import Reading

#: Groups of a cut that are drawn and spoken of: those with most tickets.
MOST_GROUPS = 12

#: Weeks of the trend, the last ones of a long period.
TREND_WEEKS = 104

#: CSAT from fewer answers is marked thin.
THIN_ANSWERS = 30

#: Complaints are given per so many customers and year.
PER_CUSTOMERS = 10_000

#: Values beyond which no truth can lie, although the t interval of few answers may.
_ENDS = {"share": (0.0, 1.0), "nps": (-100.0, 100.0), "index": (0.0, 100.0)}

#: One-sided level of "statistically below".
LEVEL = 0.05


#: Share of the complaints or late tickets that must say what they are about.
CODED_LEAST = 0.5
_RANKING = ("kind", "cut", "group", "n", "coded", "total", "share", "ci_low", "ci_high", "usual")
#: Kind of problem, its metric, and whether the problem is what the metric misses.
_KINDS = (("complaints", "complaint_rate", False), ("late", "response_on_time", True))


@dataclass(frozen=True, slots=True)
class Indicator:
    """One metric over one period.

    Parameters
    ----------
    metric, unit, better, variant
        Name, ``share`` or ``minutes``, ``higher`` or ``lower``, and which published definition.
    group
        ``"all"``, or the group that it is about.
    numerator, denominator
        Successes (or the sum, in the unit) and decided tickets.
    undecided, left_out
        Tickets whose clock or window is still running at ``as_of``; tickets outside the metric.
    value, ci_low, ci_high
        ``numerator / denominator`` with its 95 % interval: Wilson for rates, t for means. The interval takes
        tickets as independent: it ignores that agents and teams differ. ``None`` without a decided ticket.
    target, alert_threshold
        From the settings, else the catalogue's.
    below_threshold
        The contract: the value is on the bad side of the alert threshold (above it if ``better`` is
        ``lower``).
    statistically_below
        The evidence: a one-sided 5 % test says so too (exact binomial for rates, t for means).
    on_target
        The interval lies wholly at or beyond the target, wholly short of it, or holds it.
    thin
        CSAT from fewer than 30 answers.
    """

    metric: str
    unit: str
    better: str
    variant: str
    group: str
    numerator: float
    denominator: int
    undecided: int
    left_out: int
    value: float | None
    ci_low: float | None
    ci_high: float | None
    target: float | None
    alert_threshold: float | None
    below_threshold: bool | None
    statistically_below: bool | None
    on_target: Literal["reached", "not_reached", "cannot_tell"] | None
    thin: bool


@dataclass(frozen=True, slots=True)
class Goal:
    """How far a metric is from its target.

    Parameters
    ----------
    metric, value, target
        Name, value of the period and target, in the metric's unit.
    gap
        What is still to go towards the better side; negative when the target is passed.
    tickets_per_week
        Rates: ``gap`` times the eligible tickets a week: how many would have to turn out otherwise. ``None``
        for means.
    owner, due
        From the settings.
    """

    metric: str
    value: float
    target: float
    gap: float
    tickets_per_week: float | None
    owner: str | None
    due: date | None


@dataclass(frozen=True, slots=True)
class BaselineResult:
    """Where the service stands in one period.

    Parameters
    ----------
    indicators
        One per available metric.
    cuts
        Columns ``cut, group, metric, numerator, denominator, undecided, value, ci_low, ci_high``; group
        ``""`` is "missing".
    trend
        Columns ``week`` (its Monday)``, metric, numerator, denominator, undecided, value, complete``: not
        complete are weeks cut off by the period or by ``as_of`` and weeks with undecided tickets. The last
        `TREND_WEEKS` at most.
    goals
        One per metric with a target and a value.
    unavailable
        Metrics of the catalogue whose columns the source does not have.
    first, last
        The period, local days, both included.
    as_of, zone, reading
        When and of which data.
    tickets
        Tickets opened in the period.
    durations
        How long first responses and resolutions take (`csimprove.metrics.Measures.duration_summary`).
    ranking
        Columns ``kind, cut, group, n, coded, total, share, ci_low, ci_high, usual``, the most frequent first,
        at most `MOST_GROUPS` groups: what complaints (``complaints``) and tickets answered late (``late``)
        are about, by stage, category and cause. ``share`` is ``n`` of ``coded``, those of all ``total`` that
        say it, and ``usual`` the group's share of all tickets (NaN where most of them do not say it). A
        column that less than half of the ``total`` fill, or that holds one group only, is left out.
    """

    indicators: tuple[Indicator, ...]
    cuts: pd.DataFrame
    trend: pd.DataFrame
    goals: tuple[Goal, ...]
    unavailable: tuple[str, ...]
    first: date
    last: date
    as_of: datetime
    zone: str
    tickets: int
    reading: Reading
    durations: pd.DataFrame = field(default_factory=pd.DataFrame)
    ranking: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(_RANKING)))

    def to_frame(self) -> pd.DataFrame:
        """Return one row an indicator: the fields of `Indicator`."""
        return pd.DataFrame([asdict(indicator) for indicator in self.indicators])

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain numbers, texts, lists and dicts; missing numbers are ``None``."""
        return {
            "metrics": [asdict(indicator) for indicator in self.indicators],
            "cuts": records(self.cuts),
            "trend": records(self.trend),
            "goals": [{**asdict(goal), "due": goal.due and goal.due.isoformat()} for goal in self.goals],
            "unavailable": list(self.unavailable),
            "first": self.first.isoformat(),
            "last": self.last.isoformat(),
            "as_of": self.as_of.isoformat(),
            "zone": self.zone,
            "tickets": self.tickets,
            "reading": self.reading.to_dict(),
            "durations": records(self.durations),
            "ranking": records(self.ranking),
        }

    def groups(self, metric: str, cut: str) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return the rows of a cut with most tickets, at most `MOST_GROUPS`, and the others."""
        rows = self.cuts[(self.cuts["cut"] == cut) & (self.cuts["metric"] == metric)]
        rows = rows.sort_values(["denominator", "group"], ascending=[False, True])
        return rows.iloc[:MOST_GROUPS], rows.iloc[MOST_GROUPS:]

    def choose(self, *, metric: str | None = None, cut: str | None = None) -> tuple[str, str]:
        """Return a metric and a cut of this result, checked; ``None`` takes the first that holds something.

        Raises
        ------
        SettingsError
            If the result does not have them; the message lists those it has.
        """
        rows = self.cuts
        metrics = [one.metric for one in sorted(self.indicators, key=lambda one: one.value is None)]
        cuts = [*rows.loc[rows["group"] != "", "cut"].unique(), *rows["cut"].unique()]
        cut = cut and _chosen("cut", cut, cuts)
        # customers and tickets have cuts of their own
        metrics = [
            name for name in metrics if cut is None or name in set(rows.loc[rows["cut"] == cut, "metric"])
        ]
        metric = _chosen("metric", metric, metrics)
        own = set(rows.loc[rows["metric"] == metric, "cut"])
        return metric, _chosen("cut", cut, [name for name in cuts if name in own])


def baseline(measures: Measures, *, settings: Settings) -> BaselineResult:
    """Measure where the service stands.

    Parameters
    ----------
    measures
        Sums per day and cut as of a moment.
    settings
        Period (``baseline``, else the pilot's ``before``, else all days), cuts, owners of the goals.

    Returns
    -------
    BaselineResult
        Indicators with intervals, the same by every cut but the agent, week by week, and the gap to the
        goals.

    Notes
    -----
    A ticket belongs to the day on which it was opened and enters a metric only once it is decided; rates
    are pooled (sum over sum). Intervals: Wilson for rates, t for means. Agents are left out of the cuts: a
    league table of people names winners by chance.
    """
    first, last = _period(measures, settings)
    totals = with_interval(measures.pooled(first=first, last=last), measures)
    indicators = tuple(indicator(measures.metric(row["metric"]), row) for row in totals.to_dict("records"))
    cuts = [
        with_interval(measures.pooled(cut, first=first, last=last), measures)
        .rename(columns={cut: "group"})
        .assign(cut=cut)
        for cut in settings.cuts
        if cut != "agent" and cut in measures.keys
    ]
    of_customers, lost = _of_customers(measures, settings, first, last)
    cuts.append(lost)
    columns = [
        "cut",
        "group",
        "metric",
        "numerator",
        "denominator",
        "undecided",
        "value",
        "ci_low",
        "ci_high",
    ]
    days = measures.frame["day"].between(pd.Timestamp(first), pd.Timestamp(last))
    rates = {metric.name for metric in measures.metrics if metric.kind == "rate"}
    return BaselineResult(
        indicators=(*indicators, *of_customers),
        cuts=pd.concat(
            [one for one in cuts if len(one)] or [pd.DataFrame(columns=columns)], ignore_index=True
        )[columns],
        trend=_trend(measures, first, last),
        goals=_goals(
            (*indicators, *of_customers), settings, rates=rates, weeks=((last - first).days + 1) / 7
        ),
        unavailable=measures.unavailable,
        first=first,
        last=last,
        as_of=measures.as_of,
        zone=measures.zone,
        tickets=int(measures.frame.loc[days, "tickets"].sum()),
        reading=measures.reading,
        durations=measures.duration_summary(first=first, last=last),
        ranking=pd.DataFrame(_ranking(measures.problems, first, last), columns=list(_RANKING)),
    )


def _period(measures: Measures, settings: Settings) -> tuple[date, date]:
    if settings.baseline:
        return settings.baseline
    if settings.pilot:
        return settings.pilot.before
    return measures.frame["day"].min().date(), measures.frame["day"].max().date()


def _of_customers(
    measures: Measures, settings: Settings, first: date, last: date
) -> tuple[list[Indicator], pd.DataFrame]:
    """Return churn, retention and complaints per 10,000 customers, and the first two by the declared cuts."""
    customers = measures.customers
    if customers is None:
        return [], pd.DataFrame()
    metrics, rows = customer_metrics(settings, customers), []
    for cut, group, n, lost in customers.groups:
        for name, k in (("churn_rate", lost), ("retention_rate", n - lost)):
            row = {"cut": cut, "group": group, "metric": name, "numerator": k, "denominator": n, "squares": k}
            rows.append({**row, "undecided": 0, "tickets": customers.rows})
    found = []
    losses = pd.DataFrame(rows)
    if rows:
        losses = with_interval(losses, measures)
        whole = losses[losses["cut"] == ""].to_dict("records")
        found = [indicator(metrics[row["metric"]], row) for row in whole]
        losses = losses[losses["cut"] != ""]
    if any(metric.name == "complaint_rate" for metric in measures.metrics):
        complaints = float(
            measures.pooled(metrics=("complaint_rate",), first=first, last=last)["numerator"].iloc[0]
        )
        years = ((min(last, measures.today) - first).days + 1) / YEAR
        each = PER_CUSTOMERS / (customers.count * years)
        low, high = inference.poisson_interval(complaints)
        row = {"numerator": complaints, "denominator": customers.count, "undecided": 0}
        row |= {"value": complaints * each, "ci_low": low * each, "ci_high": high * each}
        found.append(indicator(metrics["complaints_per_10000"], {**row, "tickets": customers.count}))
    return found, losses


def with_interval(rows: pd.DataFrame, measures: Measures) -> pd.DataFrame:
    """Add ``value, ci_low, ci_high``; NaN without a decided ticket."""
    n, total = rows["denominator"], rows["numerator"]
    kind = rows["metric"].map({metric.name: metric.kind for metric in (*measures.metrics, *CUSTOMER_METRICS)})
    limits = zip(
        inference.wilson(total.where(kind == "rate", 0), n),
        inference.mean_interval(total, rows["squares"], n),
        strict=True,
    )
    units = {metric.name: metric.unit for metric in (*measures.metrics, *CUSTOMER_METRICS)}
    ends = [_ENDS.get(units[name], (-np.inf, np.inf)) for name in rows["metric"]]
    least, most = np.array(ends, float).reshape(-1, 2).T
    low, high = (np.clip(np.where(kind == "rate", rate, mean), least, most) for rate, mean in limits)
    return rows.assign(value=total / n.where(n > 0), ci_low=low, ci_high=high)


def indicator(metric: Metric, row: dict[Any, Any], *, group: str = "all") -> Indicator:
    """Return one row of :func:`with_interval` as an indicator, judged against target and alert threshold."""
    value, low, high = (
        None if pd.isna(row[name]) else float(row[name]) for name in ("value", "ci_low", "ci_high")
    )
    sign = 1 if metric.better == "higher" else -1
    below = None if value is None or metric.alert is None else sign * value < sign * metric.alert
    on_target: Literal["reached", "not_reached", "cannot_tell"] | None = None
    if metric.target is not None and low is not None and high is not None:
        worst, best, target = min(sign * low, sign * high), max(sign * low, sign * high), sign * metric.target
        on_target = "reached" if worst >= target else "not_reached" if best < target else "cannot_tell"
    return Indicator(
        metric=metric.name,
        unit=metric.unit,
        better=metric.better,
        variant=metric.variant,
        group=group,
        numerator=float(row["numerator"]),
        denominator=int(row["denominator"]),
        undecided=int(row["undecided"]),
        left_out=int(row["tickets"] - row["denominator"] - row["undecided"]),
        value=value,
        ci_low=low,
        ci_high=high,
        target=metric.target,
        alert_threshold=metric.alert,
        below_threshold=below,
        statistically_below=None if below is None else _shown_below(metric, row),
        on_target=on_target,
        thin=metric.name == "csat" and row["denominator"] < THIN_ANSWERS,
    )


def _shown_below(metric: Metric, row: dict[Any, Any]) -> bool:
    """Whether a one-sided test puts the truth on the bad side of the alert threshold."""
    n, total, alert = int(row["denominator"]), float(row["numerator"]), float(metric.alert or 0)
    if metric.kind == "rate":
        k = round(total)
        if metric.better == "lower":
            k, alert = n - k, 1 - alert
        return inference.binomial_below(k, n, alert) <= LEVEL
    if metric.kind == "count":
        least, _ = inference.poisson_interval(total, level=1 - 2 * LEVEL)
        return bool(total and row["value"] / total * least > alert)
    # a two-sided interval of 90 % leaves 5 % on either side
    low, high = inference.mean_interval(total, row["squares"], n, level=1 - 2 * LEVEL)
    return bool(high < alert if metric.better == "higher" else low > alert)


def _trend(measures: Measures, first: date, last: date) -> pd.DataFrame:
    monday = last - timedelta(days=last.weekday())
    start = max(first, monday - timedelta(weeks=TREND_WEEKS - 1))
    rows = measures.pooled("week", first=start, last=last)
    # a week that is cut off by the period, or whose last day is still running, holds other days than the rest
    starts = rows["week"] >= pd.Timestamp(first)
    ends = rows["week"] <= pd.Timestamp(min(last, measures.whole_day) - timedelta(days=6))
    value = rows["numerator"] / rows["denominator"].where(rows["denominator"] > 0)
    rows = rows.assign(value=value, complete=starts & ends & (rows["undecided"] == 0))
    return rows[["week", "metric", "numerator", "denominator", "undecided", "value", "complete"]]


def _ranking(problems: pd.DataFrame, first: date, last: date) -> Iterator[dict[str, Any]]:
    """Yield the groups of complaints and of late tickets, the most frequent first."""
    rows = problems[problems["day"].between(pd.Timestamp(first), pd.Timestamp(last))]
    for kind, metric, missed in _KINDS:
        if f"{metric}__sum" not in rows:
            continue
        counts = rows[f"{metric}__decided"] - rows[f"{metric}__sum"] if missed else rows[f"{metric}__sum"]
        for cut in (name for name in ("stage", "category", "cause") if name in rows):
            by = counts.groupby(rows[cut]).sum()
            total, named = int(by.sum()), by[by.index != ""].sort_values(ascending=False, kind="stable")
            coded = int(named.sum())
            # a single group ranks nothing
            if not coded or coded < CODED_LEAST * total or (named > 0).sum() < 2:
                continue
            tickets = rows["tickets"].groupby(rows[cut]).sum().to_dict()
            known = sum(tickets.values()) - tickets.get("", 0)
            all_known = known if known >= CODED_LEAST * sum(tickets.values()) else np.nan
            for group, n in named[named > 0].iloc[:MOST_GROUPS].items():
                low, high = inference.wilson(n, coded)
                shares = n / coded, float(low), float(high), tickets[group] / all_known
                found = (kind, cut, str(group), int(n), coded, total, *shares)
                yield dict(zip(_RANKING, found, strict=True))


def _goals(
    indicators: tuple[Indicator, ...], settings: Settings, *, rates: set[str], weeks: float
) -> tuple[Goal, ...]:
    goals = []
    for found in indicators:
        if found.target is None or found.value is None:
            continue
        gap = (found.target - found.value) * (1 if found.better == "higher" else -1)
        eligible = found.denominator + found.undecided
        own = settings.goal(found.metric)
        goals.append(
            Goal(
                metric=found.metric,
                value=found.value,
                target=found.target,
                gap=gap,
                tickets_per_week=gap * eligible / weeks if found.metric in rates else None,
                owner=own.owner if own else None,
                due=own.due if own else None,
            )
        )
    return tuple(goals)


def _chosen(argument: str, name: str | None, known: list[str]) -> str:
    if not known:
        raise SettingsError(f"no `{argument}` can be shown: neither the data nor the settings hold one.")
    if name is not None and name not in known:
        listed = ", ".join(dict.fromkeys(known))
        raise SettingsError(f"`{argument}` must be one of {listed}, not {name!r}.")
    return name or known[0]

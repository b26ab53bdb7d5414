"""Causes counted: shares, change, misses, delay, steadiness and what goes together with them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Literal

import numpy as np
import pandas as pd

from csimprove import inference
from csimprove.causes.coding import MARKED, Codebook, coded, compared, read_sheet
from csimprove.causes.result import NO_CAUSE, Association, Cause, CausesResult, Labels, Stability
from csimprove.errors import SettingsError
from csimprove.metrics import Measures
from csimprove.monitoring import phase_starts
from csimprove.settings import CauseEntry, CauseFile, Settings, SubCause, read_causes
from csimprove.spc import ChartOptions, chart
from csimprove.tickets.mapping import missing_texts

#: Causes above the 80 % line that are set beside the others, and those that are charted, at most: each chart
#: more is one more chance of a false signal.
MOST_VITAL, MOST_CHARTED = 5, 3
#: Fewer points make no control chart; with fewer than the second number its limits are trial limits.
FEWEST_POINTS, TRIAL_POINTS = 6, 12
#: A point of a chart should expect at least so many tickets of the cause.
EXPECTED = 5
#: Lowest rating that counts as satisfied.
SATISFIED = 4
#: Measure = time stamp of its event, short name in the timed tickets.
_EVENTS = {"first_response": ("first_response_at", "response"), "resolution": ("resolved_at", "resolution")}
Measure = Literal["first_response", "resolution"]
_COLUMNS = ("category", "cause", "subcause")


@dataclass(frozen=True, slots=True)
class _Coded:
    """Tickets with their codes: those of the period, those of the period before, and what is measured."""

    now: pd.DataFrame
    before: pd.DataFrame | None
    measure: Measure | None


def causes(
    measures: Measures, *, settings: Settings, first: date | str | None = None, last: date | str | None = None
) -> CausesResult:
    """Count the causes of a problem.

    Parameters
    ----------
    measures
        Sums as of a moment, with the tickets behind them.
    settings
        ``[causes]``: what is looked into and where its codes come from; rules and phases of control charts.
    first, last
        Local days of opening, both included, also as ISO text; ``None``: those of ``[causes]``, else of the
        baseline, else of the pilot before its start, else all days.

    Returns
    -------
    CausesResult
        The tree of causes with counts and intervals, agreement of coders, steadiness, association.

    Raises
    ------
    SettingsError
        If the settings name a column that the source does not have, or the file of causes is wrong.
    TicketDataError
        If the coding sheet is wrong.

    Notes
    -----
    Shares are of coded tickets: those without a cause are told apart. Intervals take tickets as independent.
    """
    own, file = settings.causes, read_causes(settings)
    book = Codebook.of(file, own.cannot_tell)
    sheet = None if own.sheet is None else read_sheet(settings.path(own.sheet), book)
    if own.count_sheet and sheet is None:
        raise SettingsError("`causes.sheet` must name a coding sheet when `count_sheet` is set.")
    first, last = _days(measures, settings, first, last)
    previous = _previous(measures, first, last)
    tickets = looked_into(measures, settings, previous[0] if previous else first, last)
    rows = coded(tickets, settings, book, sheet)
    day = rows["day"]
    now = rows[day >= pd.Timestamp(first)]
    before = None if previous is None else rows[day < pd.Timestamp(first)]
    found = _Coded(now, before, _measure(measures))
    with_cause = now[now["no_cause"] == ""]
    categories = _tree(found, file, own.order)
    clock, _ = _delays(with_cause, found.measure)
    result = CausesResult(
        problem=file.problem,
        of=own.of,
        where=own.where,
        source="sheet" if own.count_sheet else "column",
        tickets=len(now),
        coded=len(with_cause),
        no_cause={reason: int((now["no_cause"] == reason).sum()) for reason in NO_CAUSE},
        missing=tuple(one for one in missing_texts(settings.source) if one in MARKED),
        categories=categories,
        order=own.order,
        measure=found.measure,
        clock=clock,
        misses=_misses(with_cause, found.measure),
        lead=None,
        stability=(),
        associations=(),
        coding=None if sheet is None else compared(sheet, book, now["ticket_id"]),
        suggested=_suggested(now),
        whys=_whys(file),
        listing=with_cause[["ticket_id", "day", *_COLUMNS]].reset_index(drop=True),
        first=first,
        last=last,
        previous=previous,
        as_of=measures.as_of,
        zone=measures.zone,
        reading=measures.reading,
    )
    keys = [cause.key for cause in result.ranked[: min(result.vital, MOST_VITAL)]]
    history, span = rows[rows["no_cause"] == ""], (previous[0] if previous else first, last)
    return replace(
        result,
        lead=_lead(result),
        stability=tuple(_stability(history, key, settings, span) for key in keys[:MOST_CHARTED]),
        associations=tuple(one for key in keys for one in _associations(with_cause, key, found.measure)),
    )


def looked_into(measures: Measures, settings: Settings, first: date, last: date) -> pd.DataFrame:
    """Return the tickets of a period that ``[causes]`` looks into, with all that is told of them."""
    own, there = settings.causes, set(measures.reading.columns)
    needed = {*own.where, *filter(None, (own.category, own.cause, own.subcause))}
    # codes may come from a sheet, and a project that names no column may have no codes yet
    if own.count_sheet or "cause" not in own.model_fields_set:
        needed -= {own.cause} - {own.category, *own.where}
    if own.of == "complaints":
        needed.add("is_complaint")
    if absent := sorted(needed - there):
        raise SettingsError(
            f"[causes] must name columns that the source has, not {', '.join(absent)}. "
            "Map them in [source.columns], or set `cause`, `category` or `of` under [causes]."
        )
    short = {"late_response": "response", "late_resolution": "resolution"}.get(own.of)
    names = [*needed, *([own.cause] if own.cause in there else []), "csat", "suggested_cause", "resolved_at"]
    for event, (stamp, of) in _EVENTS.items():
        names += [stamp, f"{event}_business_minutes", f"{event}_calendar_minutes"]
        names += [f"{of}_{part}" for part in ("business", "clock_s", "decided", "met")]
    rows = measures.tickets(*names, "age_s", "no_reply", "is_complaint", first=first, last=last)
    if own.cause not in rows:
        rows = rows.assign(**{own.cause: ""})
    kept = pd.Series(True, index=rows.index)
    if own.of == "complaints":
        kept &= rows["is_complaint"].fillna(False).astype(bool)
    if short is not None:
        kept &= (rows[f"{short}_decided"] == 1) & (rows[f"{short}_met"] == 0)
    for name, values in own.where.items():
        kept &= rows[name].isin(values)
    return rows[kept].reset_index(drop=True)


def _days(
    measures: Measures, settings: Settings, first: date | str | None, last: date | str | None
) -> tuple[date, date]:
    usual = coded_period(measures, settings)
    try:
        begin, end = (
            date.fromisoformat(str(own)) if own else day
            for own, day in zip((first, last), usual, strict=True)
        )
    except ValueError:
        raise SettingsError(
            f'`first` and `last` must be days such as "2025-03-31", not {first!r} and {last!r}.'
        ) from None
    if end < begin:
        raise SettingsError(f"`last` must not lie before `first`, not {end} before {begin}.")
    return begin, end


def coded_period(measures: Measures, settings: Settings) -> tuple[date, date]:
    """Return the period that ``[causes]`` looks into, local days, both included."""
    if period := settings.causes.period or settings.baseline:
        return period
    if settings.pilot:
        return settings.pilot.before
    return measures.frame["day"].min().date(), measures.frame["day"].max().date()


def _previous(measures: Measures, first: date, last: date) -> tuple[date, date] | None:
    begin: date = measures.frame["day"].min().date()
    start = max(first - (last - first) - timedelta(days=1), begin)
    return (start, first - timedelta(days=1)) if start < first else None


def _measure(measures: Measures) -> Measure | None:
    there = {metric.name for metric in measures.metrics}
    if "response_on_time" in there:
        return "first_response"
    return "resolution" if "resolution_on_time" in there else None


# --- the tree ---------------------------------------------------------------------------------------


def _tree(found: _Coded, file: CauseFile, order: Literal["count", "input"]) -> tuple[Cause, ...]:
    """Build the tree from the file of causes and from the data; what the file lists needs no ticket."""
    entries = {(one.category, one.name): one for one in file.causes}
    parts = {
        (cause.category, cause.name, part.name): part for cause, part in file.named() if part is not None
    }
    rows = found.now[found.now["no_cause"] == ""]
    keys = dict.fromkeys([*entries, *parts, *map(tuple, rows[list(_COLUMNS)].drop_duplicates().to_numpy())])
    labels: dict[str, Labels] = {one.code: one.label for one in file.categories}
    tally = _Tally(found)
    codes = dict.fromkeys([*file.codes, *(key[0] for key in keys)])
    made = []
    for code in codes:
        names = dict.fromkeys(key[1] for key in keys if key[0] == code)
        if not names:
            continue
        inner = []
        for name in names:
            subs = dict.fromkeys(
                key[2] for key in keys if key[:2] == (code, name) and len(key) > 2 and key[2]
            )
            below = (tally.cause((code, name, sub), parts.get((code, name, sub))) for sub in subs)
            entry = entries.get((code, name))
            inner.append(tally.cause((code, name), entry, parts=_sorted(below, order)))
        own = labels.get(code, {"en": code, "zh": code})
        made.append(replace(tally.cause((code,), None, parts=_sorted(inner, order)), labels=own, status=None))
    return _sorted(made, order)


def _sorted(found: Iterable[Cause], order: Literal["count", "input"]) -> tuple[Cause, ...]:
    return tuple(sorted(found, key=lambda one: -one.count) if order == "count" else found)


class _Tally:
    """Counts of the tickets of a cause."""

    def __init__(self, found: _Coded) -> None:
        self.measure = found.measure
        self.now = found.now[found.now["no_cause"] == ""]
        self.before = None if found.before is None else found.before[found.before["no_cause"] == ""]
        self.misses = _misses(self.now, self.measure)
        _, self.delays = _delays(self.now, self.measure)

    def cause(
        self, key: tuple[str, ...], entry: SubCause | CauseEntry | None, *, parts: tuple[Cause, ...] = ()
    ) -> Cause:
        """Count one cause, category or sub-cause."""
        rows = _of(self.now, key)
        k, n = len(rows), len(self.now)
        low, high = (float(end) for end in inference.wilson(k, n))
        made = Cause(
            key=key,
            labels=entry.labels if entry else {"en": key[-1], "zh": key[-1]},
            status=entry.status if entry else "suggested",
            controllable=entry.controllable if entry else None,
            count=k,
            share=k / n if n else None,
            ci_low=low if n else None,
            ci_high=high if n else None,
            evidence=entry.evidence if entry else None,
            parts=parts,
        )
        return replace(made, **self._change(key, k, n), **self._lateness(rows))

    def _change(self, key: tuple[str, ...], k: int, n: int) -> dict[str, Any]:
        if self.before is None:
            return {}
        before, base = len(_of(self.before, key)), len(self.before)
        if not n or not base:
            return {"previous": before}
        low, high = (float(end) for end in inference.newcombe(k, n, before, base))
        return {
            "previous": before,
            "change": k / n - before / base,
            "change_low": low,
            "change_high": high,
        }

    def _lateness(self, rows: pd.DataFrame) -> dict[str, Any]:
        if self.measure is None:
            return {}
        misses = _misses(rows, self.measure) or 0
        found: dict[str, Any] = {
            "misses": misses,
            "miss_share": misses / self.misses if self.misses else None,
        }
        delays = self.delays.loc[self.delays.index.intersection(rows.index)]
        if not delays["over"].any():
            return found
        curve = inference.kaplan_meier(delays["minutes"], delays["over"], ~delays["over"])
        names = ("delay", "delay_low", "delay_high")
        return found | {name: _finite(value) for name, value in zip(names, curve.quantile(0.5), strict=True)}


def _of(rows: pd.DataFrame, key: tuple[str, ...]) -> pd.DataFrame:
    """Return the tickets of a category, cause or sub-cause."""
    kept = np.ones(len(rows), dtype=bool)
    for column, name in zip(_COLUMNS, key, strict=False):
        kept &= (rows[column] == name).to_numpy()
    return rows[kept]


def _misses(rows: pd.DataFrame, measure: Measure | None) -> int | None:
    if measure is None:
        return None
    short = _EVENTS[measure][1]
    return int(((rows[f"{short}_decided"] == 1) & (rows[f"{short}_met"] == 0)).sum())


def _delays(
    rows: pd.DataFrame, measure: Measure | None
) -> tuple[Literal["calendar", "business"] | None, pd.DataFrame]:
    """Return minutes from opening to the event, and whether it has come; no reply, no event."""
    if measure is None:
        return None, pd.DataFrame({"minutes": [], "over": []})
    stamp, short = _EVENTS[measure]
    kept = rows if measure == "resolution" else rows[rows["no_reply"] == 0]
    if kept[stamp].notna().any():
        over = kept[stamp].notna()
        taken = (kept[stamp] - kept["opened_at"]).dt.total_seconds().clip(lower=0)
        return "calendar", pd.DataFrame({"minutes": taken.where(over, kept["age_s"]) / 60, "over": over})
    stated = kept[[f"{measure}_business_minutes", f"{measure}_calendar_minutes"]].notna()
    clock: Literal["calendar", "business"] = "calendar"
    if stated[f"{measure}_business_minutes"].sum() > stated[f"{measure}_calendar_minutes"].sum():
        clock = "business"
    minutes = kept[f"{measure}_{clock}_minutes"]
    over = minutes.notna()
    known = over | (kept[f"{short}_business"] == (clock == "business"))
    taken = minutes.where(over, kept[f"{short}_clock_s"] / 60)
    return clock, pd.DataFrame({"minutes": taken, "over": over})[known]


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


# --- steadiness, association, suggestions, whys -------------------------------------------------------


def _lead(result: CausesResult) -> tuple[float, float, float] | None:
    if len(result.ranked) < 2:
        return None
    first, second = (cause.count for cause in result.ranked[:2])
    return (first - second) / result.coded, *inference.paired_difference(first, second, result.coded)


def _stability(
    rows: pd.DataFrame, key: tuple[str, ...], settings: Settings, span: tuple[date, date]
) -> Stability:
    """Chart the share of a cause by day, or by whole week where a day has too few tickets.

    Only points beyond the limits count: run rules would raise one more false signal for each cause charted.
    The limits are never narrower than the binomial ones: a few points may look steadier than chance allows.
    """
    hit = pd.Series(1, index=_of(rows, key).index).reindex(rows.index, fill_value=0)
    days = rows["day"]
    per_day = hit.groupby(days).agg(["sum", "size"])
    by: Literal["day", "week"] = "day" if per_day["sum"].mean() >= EXPECTED else "week"
    if by == "week":
        week = days - pd.to_timedelta(days.dt.day_of_week, unit="D")
        counts = hit.groupby(week).agg(["sum", "size"])
        begin, end = (pd.Timestamp(day) for day in span)
        counts = counts[(counts.index >= begin) & (counts.index <= end - pd.Timedelta(days=6))]
    else:
        counts = per_day
    if len(counts) < FEWEST_POINTS:
        return Stability(key, by, len(counts), "too_short", True, None)
    phases = tuple(
        one
        for one in phase_starts(settings, (), "cause")
        if counts.index[0] < pd.Timestamp(one.start) <= counts.index[-1]
    )
    dates: Any = counts.index
    common: dict[str, Any] = {"period": dates, "by": by, "metric": "cause", "unit": "share"}
    made = [
        chart(counts["sum"], counts["size"], options=ChartOptions(kind, "limits", phases), **common)
        for kind in ("p_laney", "p")
    ]
    wide = all((one.sigma_z or 0) >= 1 for one in made[0].phases)
    found = made[0] if wide else made[1]
    own = [one for one in found.signals if one.limits == "own"]
    trial = len(counts) < TRIAL_POINTS
    if not own:
        return Stability(key, by, len(counts), "steady", trial, None)
    signal = counts.index[max(one.last for one in own)].date()
    return Stability(key, by, len(counts), "unsteady", trial, signal)


def _associations(rows: pd.DataFrame, key: tuple[str, ...], measure: Measure | None) -> list[Association]:
    hit = rows.index.isin(_of(rows, key).index)
    outcomes: list[tuple[Literal["on_time", "satisfied"], pd.Series[bool], pd.Series[bool]]] = []
    if measure is not None:
        short = _EVENTS[measure][1]
        outcomes.append(("on_time", rows[f"{short}_decided"] == 1, rows[f"{short}_met"] == 1))
    outcomes.append(("satisfied", rows["csat"].notna(), rows["csat"] >= SATISFIED))
    made = []
    for outcome, counts, good in outcomes:
        k1, n1, k2, n2 = (
            int(flag.sum()) for of in (hit, ~hit) for flag in ((counts & good.fillna(False))[of], counts[of])
        )
        if not n1 or not n2:
            continue
        low, high = (float(end) for end in inference.newcombe(k1, n1, k2, n2))
        made.append(Association(key, outcome, k1, n1, k2, n2, k1 / n1 - k2 / n2, low, high))
    return made


def _suggested(rows: pd.DataFrame) -> pd.DataFrame:
    """Count what keywords suggest for tickets that have no cause."""
    open_ones = rows.loc[rows["no_cause"] != "", "suggested_cause"].dropna()
    counts = open_ones.value_counts()
    found = pd.DataFrame({"cause": counts.index.astype(str), "tickets": counts.to_numpy()})
    return found.sort_values(["tickets", "cause"], ascending=[False, True], ignore_index=True)


def _whys(file: CauseFile) -> pd.DataFrame:
    rows: list[tuple[object, ...]] = []
    for cause in file.causes:
        depth: dict[str | None, int] = {None: 0}
        for why in cause.whys:
            depth[why.id] = depth[why.after] + 1
            evidence = why.evidence or {"en": "", "zh": ""}
            said = (why.answer["en"], why.answer["zh"], evidence["en"], evidence["zh"])
            rows.append((cause.name, why.id, why.after or "", depth[why.id], *said, why.status))
    columns = ["cause", "id", "after", "depth", "en", "zh", "evidence_en", "evidence_zh", "status"]
    return pd.DataFrame(rows, columns=columns)

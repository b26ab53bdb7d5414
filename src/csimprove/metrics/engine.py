"""Timed tickets into integer sums per local day of opening and cut, and into counts of durations.

Only `csimprove.metrics.store` imports this module, and only when something must be computed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import narwhals as nw
import pandas as pd

from csimprove import columns
from csimprove.inference import BIN_STARTS, DOUBLINGS, EXACT, PER_DOUBLING
from csimprove.metrics.definitions import Metric
from csimprove.metrics.parts import both, has, parts_of, where
from csimprove.settings import EventLimit, Settings, Sla
from csimprove.sla import calendar_table, resolve_rules, time_events, time_tickets
from csimprove.tickets import Reading


def measure_files(
    folder: Path,
    *,
    settings: Settings,
    reading: Reading,
    metrics: tuple[Metric, ...],
    keys: tuple[str, ...],
    as_of: datetime,
) -> tuple[pd.DataFrame, tuple[int, ...]]:
    """Measure the canonical Parquet of a folder with DuckDB.

    Parameters
    ----------
    folder
        Holds ``tickets.parquet`` and ``pauses.parquet``; also takes what does not fit into memory.
    settings, reading
        The project's settings and what was read.
    metrics
        What to measure.
    keys
        Columns to keep apart.
    as_of
        Moment of the snapshot.

    Returns
    -------
    pandas.DataFrame
        As `Measures.frame`.
    tuple of int
        Years whose holidays had to be estimated.

    Raises
    ------
    TicketDataError
        If tickets match no rule.
    SettingsError
        If two rules match equally well.
    """
    limits = {metric.name: metric.event for metric in metrics if metric.event is not None}
    with _timed(folder, settings=settings, reading=reading, as_of=as_of, limits=limits) as found:
        timed, sla, estimated = found
        sums = summed(timed, metrics=metrics, keys=keys, sla=sla).collect("pyarrow").to_native()
    return _tidied(sums.to_pandas(), ["day", *keys]), estimated


def bin_files(
    folder: Path, *, settings: Settings, reading: Reading, keys: tuple[str, ...], as_of: datetime
) -> pd.DataFrame:
    """Count durations in the canonical Parquet of a folder with DuckDB: a second pass.

    Parameters
    ----------
    folder, settings, reading, keys, as_of
        As for :func:`measure_files`.

    Returns
    -------
    pandas.DataFrame
        As `Measures.durations`. A measure of which the source knows no single event is left out.
    """
    with _timed(folder, settings=settings, reading=reading, as_of=as_of) as (timed, _, _):
        counts = binned(timed, keys=keys).collect("pyarrow").to_native()
    texts = [*keys, "measure", "clock"]
    frame = counts.to_pandas(categories=texts)
    known = frame.groupby("measure", observed=True)["events"].transform("sum") > 0
    frame = frame[known].astype({"bin": "int16", "events": "int32", "censored": "int32"})
    # categories come in the order in which threads met them
    ordered = {name: frame[name].cat.set_categories(sorted(frame[name].cat.categories)) for name in texts}
    return _tidied(frame.assign(**ordered), ["day", *texts, "bin"])


@contextmanager
def _timed(
    folder: Path,
    *,
    settings: Settings,
    reading: Reading,
    as_of: datetime,
    limits: Mapping[str, EventLimit] | None = None,
) -> Iterator[tuple[nw.LazyFrame[Any], Sla, tuple[int, ...]]]:
    """Time the tickets of a folder; with the rules in use and the years of estimated holidays."""
    with duckdb.connect(config=_limits(settings, folder)) as con:
        tickets, pauses = (
            nw.from_native(con.read_parquet(str(folder / f"{name}.parquet")))
            for name in ("tickets", "pauses")
        )
        sla = _rules_in_use(settings.sla)
        rules = resolve_rules(sla.rules, _combinations(tickets), source=reading.source)
        limits = limits or {}
        first = min([reading.first_opened.date(), *_first_times(tickets, limits)])
        calendar = calendar_table(settings.calendar, first, as_of.date())
        days = nw.from_native(con.from_arrow(calendar.frame))
        timed = time_tickets(
            tickets, pauses, days, nw.from_native(con.from_arrow(rules)), as_of=as_of, sla=sla
        )
        if limits:
            timed = time_events(timed, days, limits, as_of=as_of)
        yield timed, sla, calendar.estimated_years


def _first_times(tickets: nw.LazyFrame[Any], limits: Mapping[str, EventLimit]) -> list[date]:
    """First days of the times that limits look at; some may lie before the first opening."""
    names = dict.fromkeys(name for limit in limits.values() for name in (limit.event, limit.start))
    if not names:
        return []
    (row,) = tickets.select(nw.col(name).min() for name in names).collect("pyarrow").to_native().to_pylist()
    return [found.date() for found in row.values() if found is not None]


def summed(
    timed: nw.LazyFrame[Any], *, metrics: tuple[Metric, ...], keys: tuple[str, ...], sla: Sla
) -> nw.LazyFrame[Any]:
    """Sum every metric in one grouping.

    Parameters
    ----------
    timed
        Frame of `csimprove.sla.time_tickets`.
    metrics
        What to measure.
    keys
        Text columns to keep apart beside ``day``.
    sla
        Which tickets have a limit.

    Returns
    -------
    narwhals.LazyFrame
        ``day`` (epoch day), ``keys`` (missing = ``""``), ``tickets``, ``no_reply`` and, per metric,
        ``__sum``, ``__decided``, ``__eligible`` and, for a mean, ``__squares``; for the mean of two channels
        also ``__first_sum``, ``__first_squares`` and ``__first_decided`` of the first one; Int64.
    """
    figures: dict[str, nw.Expr] = {}
    copies: dict[str, str] = {}
    for metric in metrics:
        _add_figures(figures, copies, metric, sla)
    # without any time of response nobody can say that no reply was needed
    known = any(metric.name == "response_on_time" for metric in metrics)
    figures["no_reply"] = where(nw.col("no_reply") == 1 if known else nw.lit(False))
    sums = {
        f"{metric.name}__{part}"
        for metric in metrics
        if metric.kind == "mean"
        for part in ("sum", "squares", "first_sum", "first_squares")
    }
    return (
        timed.select("day", *keys, *(figure.alias(f"_{name}") for name, figure in figures.items()))
        .group_by("day", *keys)
        .agg(
            nw.len().cast(nw.Int64).alias("tickets"),
            *(
                # DuckDB sums integers to HUGEINT, which pandas would read as float
                (nw.col(f"_{name}").sum() if name in sums else nw.col(f"_{name}").count())
                .cast(nw.Int64)
                .alias(name)
                for name in figures
            ),
        )
        .with_columns(
            *(nw.col(key).fill_null("") for key in keys),
            *(nw.col(original).alias(name) for name, original in copies.items()),
        )
    )


def binned(timed: nw.LazyFrame[Any], *, keys: tuple[str, ...]) -> nw.LazyFrame[Any]:
    """Count durations until the first response and the resolution in the bins of `BIN_STARTS`.

    Parameters
    ----------
    timed
        Frame of `csimprove.sla.time_tickets`.
    keys
        Text columns to keep apart beside ``day``.

    Returns
    -------
    narwhals.LazyFrame
        ``day`` (epoch day), ``keys`` (missing = ``""``), ``measure``, ``clock``, ``bin``, ``events`` and
        ``censored``; numbers Int64.
    """
    parts = []
    for event, short, stamp in (
        ("first_response", "response", "first_response_at"),
        ("resolution", "resolution", "resolved_at"),
    ):
        business = (nw.col(f"{short}_business") == 1).fill_null(False)
        by_business, by_calendar = f"{event}_business_minutes", f"{event}_calendar_minutes"
        on_clock = nw.when(business).then(nw.col(by_business)).otherwise(nw.col(by_calendar))
        over = has(stamp) | ~on_clock.is_null()
        # over, but nobody knows when: stated on the other clock only
        unknown = ~over & (has(by_business) | has(by_calendar))
        counted = ~unknown & (nw.col("no_reply") == 0) if event == "first_response" else ~unknown
        parts.append(
            timed.filter(counted).select(
                "day",
                *(nw.col(key).fill_null("") for key in keys),
                nw.lit(event).alias("measure"),
                nw.when(business).then(nw.lit("business")).otherwise(nw.lit("calendar")).alias("clock"),
                duration_bin(nw.col(f"{short}_clock_s") // 60).alias("bin"),
                where(over).alias("_over"),
            )
        )
    return (
        nw.concat(parts)
        .group_by("day", *keys, "measure", "clock", "bin")
        .agg(nw.len().cast(nw.Int64).alias("_all"), nw.col("_over").count().cast(nw.Int64).alias("events"))
        .with_columns((nw.col("_all") - nw.col("events")).alias("censored"))
        .drop("_all")
    )


def duration_bin(minutes: nw.Expr) -> nw.Expr:
    """Return the place in `BIN_STARTS` of whole minutes, with integers only."""
    place = minutes.clip(lower_bound=0)
    for step in range(DOUBLINGS):
        low = EXACT << step
        within = EXACT + PER_DOUBLING * step + (minutes - low) // (low // PER_DOUBLING)
        place = nw.when(minutes >= low).then(within).otherwise(place)
    last = len(BIN_STARTS) - 1
    return nw.when(minutes >= EXACT << DOUBLINGS).then(nw.lit(last)).otherwise(place).cast(nw.Int64)


def _add_figures(figures: dict[str, nw.Expr], copies: dict[str, str], metric: Metric, sla: Sla) -> None:
    """Add what must be counted or summed for a metric; what another figure already gives is copied."""
    name = metric.name
    applies, decided, value = parts_of(metric, sla)
    if applies is None:
        copies[f"{name}__eligible"] = "tickets"
    else:
        figures[f"{name}__eligible"] = where(applies)
    if decided is None:
        copies[f"{name}__decided"] = f"{name}__eligible"
    else:
        figures[f"{name}__decided"] = where(both(applies, decided))
    counted = both(applies, decided)
    if metric.kind == "mean":
        figures[f"{name}__sum"] = nw.when(counted).then(value)
        figures[f"{name}__squares"] = nw.when(counted).then(value * value)
        if metric.definition == "channel_mean":
            first = counted & (nw.col("channel") == metric.options["channels"][0])
            figures[f"{name}__first_sum"] = nw.when(first).then(value)
            figures[f"{name}__first_squares"] = nw.when(first).then(value * value)
            figures[f"{name}__first_decided"] = where(first)
    else:
        figures[f"{name}__sum"] = where(both(counted, value))


def _limits(settings: Settings, folder: Path) -> dict[str, Any]:
    return {
        "threads": settings.engine.threads,
        "memory_limit": settings.engine.memory_limit,
        # DuckDB would spill into the caller's folder
        "temp_directory": str(folder / ".spill"),
    }


def _rules_in_use(sla: Sla) -> Sla:
    if sla.resolution == "rules":
        return sla
    rules = tuple(rule for rule in sla.rules if rule.measure != "resolution")
    return sla.model_copy(update={"rules": rules})


def _combinations(tickets: nw.LazyFrame[Any]) -> dict[tuple[str, ...], int]:
    names = columns.RULE_KEYS
    found = tickets.select(nw.col(name).fill_null("") for name in names).group_by(*names).agg(nw.len())
    rows = found.collect("pyarrow").to_native().to_pylist()
    return {tuple(row[name] for name in names): row["len"] for row in rows}


def _tidied(sums: pd.DataFrame, order: list[str]) -> pd.DataFrame:
    if sums["day"].isna().any():
        raise AssertionError("the calendar must cover every opening")  # it starts with the first one
    day = pd.to_datetime(sums["day"], unit="D").astype("datetime64[ns]")
    return sums.assign(day=day).sort_values(order, ignore_index=True)

"""Each metric on a handful of tickets, the pooled sums, and the measures kept beside the reports."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import narwhals as nw
import pandas as pd
import polars as pl
import pytest

from csimprove import columns
from csimprove.errors import Failure, SettingsError, TicketDataError
from csimprove.metrics import (
    CATALOGUE,
    CUSTOMER_METRICS,
    VARIANTS,
    Measures,
    Metric,
    catalogue,
    load_measures,
    store,
)
from csimprove.metrics.engine import summed
from csimprove.settings import Calendar, Settings, Sla, SlaRule, read_settings
from csimprove.sla import calendar_table, resolve_rules, time_events, time_tickets
from csimprove.tickets import Reading
from test_sla import canonical

ROOT = Path(__file__).resolve().parents[1]
NOON = datetime(2025, 3, 3, 12)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
RULES = (
    SlaRule(measure="first_response", limit="1 h", clock="calendar"),
    SlaRule(measure="resolution", limit="2 d", clock="calendar"),
)
#: Monday to Friday, nine to five, Chinese holidays and make-up days.
OFFICE = Calendar(
    zone="Asia/Shanghai",
    hours=dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), ("09:00-17:00",)),
    holidays="CN",
)
TICKET_METRICS = {entry.name: VARIANTS[entry.name] for entry in CATALOGUE}
METRICS = [(name, variant) for name, variants in TICKET_METRICS.items() for variant in variants]


def metric(name: str, variant: str | None = None) -> Metric:
    found = next(entry for entry in CATALOGUE if entry.name == name)
    window = 0 if variant == "ever" else found.window_days
    if name == "record_completeness":
        variant = f'{variant or found.variant} {{"columns": ["team", "customer"]}}'
        per_unit, kind = (1.0, "rate") if variant.startswith("records") else (2.0, "mean")
        return replace(found, variant=variant, per_unit=per_unit, kind=kind)
    return replace(found, variant=variant or found.variant, window_days=window)


def measured(
    *tickets: dict[str, Any],
    metrics: tuple[Any, ...],
    as_of: datetime,
    sla: Sla,
    engine: str = "polars",
    calendar: Calendar = Calendar(),  # noqa: B008 - frozen
) -> list[dict[str, Any]]:
    """Rows of sums, in order."""
    rows = [{"ticket_id": str(n), "opened_at": NOON, **ticket} for n, ticket in enumerate(tickets)]
    tables = (
        canonical(rows),
        canonical([], columns.PAUSES),
        calendar_table(calendar, min(row["opened_at"] for row in rows).date(), as_of.date()).frame,
        resolve_rules(sla.rules, {("", "", ""): len(rows)}),
    )
    con = duckdb.connect()
    place = con.from_arrow if engine == "duckdb" else lambda table: pl.from_arrow(table).lazy()
    frames = [nw.from_native(place(table)) for table in tables]
    timed = time_tickets(*frames, as_of=as_of, sla=sla)
    limits = {entry.name: entry.event for entry in metrics if entry.event is not None}
    if limits:
        timed = time_events(timed, frames[2], limits, as_of=as_of)
    found = summed(timed, metrics=metrics, keys=("team",), sla=sla).collect("pyarrow").to_native()
    return sorted(found.to_pylist(), key=lambda row: (row["day"], row["team"]))


def sums(
    name: str, *tickets: dict[str, Any], variant: str | None = None, as_of: datetime, sla: Sla | None = None
) -> tuple[int, int, int]:
    """Numerator, decided and eligible tickets."""
    (row,) = measured(*tickets, metrics=(metric(name, variant),), as_of=as_of, sla=sla or Sla(rules=RULES))
    return tuple(row[f"{name}__{part}"] for part in ("sum", "decided", "eligible"))


# --- the metrics -----------------------------------------------------------------------------------


def test_response_on_time_leaves_out_what_needed_no_reply():
    tickets = [
        {"first_response_at": NOON + 10 * MINUTE},
        {"first_response_at": NOON + 70 * MINUTE},
        {},
        {"resolved_at": NOON + MINUTE},
        {"opened_at": NOON + DAY, "first_response_at": NOON + DAY + 5 * MINUTE},
    ]
    as_of = NOON + DAY + 30 * MINUTE
    assert sums("response_on_time", *tickets[:4], as_of=as_of) == (1, 3, 3)
    counted = Sla(rules=RULES, count_no_reply=True)
    assert sums("response_on_time", *tickets[:4], as_of=as_of, sla=counted) == (1, 4, 4)
    # answered in time, but its hour has not run out
    assert sums("response_on_time", tickets[4], as_of=as_of) == (0, 0, 1)


def test_resolution_on_time_counts_open_tickets_past_their_limit_as_missed():
    tickets = [{"resolved_at": NOON + DAY}, {"resolved_at": NOON + 3 * DAY}, {}]
    assert sums("resolution_on_time", *tickets, as_of=NOON + 9 * DAY) == (1, 3, 3)
    assert sums("resolution_on_time", *tickets, as_of=NOON + DAY) == (0, 0, 3)


def test_resolution_on_time_by_due_time_leaves_out_tickets_without_one():
    due = {"due_at": NOON + DAY}
    tickets = [{**due, "resolved_at": NOON + DAY}, due, {"resolved_at": NOON}, {"due_at": NOON + 9 * DAY}]
    by_due = Sla(resolution="due_at")
    assert sums("resolution_on_time", *tickets, as_of=NOON + 2 * DAY, sla=by_due) == (1, 2, 3)


WEEK = NOON + 7 * DAY


@pytest.mark.parametrize(
    ("ticket", "resolved_once"),
    [
        ({"resolved_at": NOON + DAY}, 1),
        ({"resolved_at": WEEK}, 1),
        ({"resolved_at": WEEK + MINUTE}, 0),
        ({}, 0),
        ({"resolved_at": NOON + DAY, "reopened_at": NOON + 2 * DAY}, 0),
        ({"resolved_at": NOON + DAY, "reopened_at": WEEK + MINUTE}, 1),
        ({"resolved_at": NOON + DAY, "recontact_at": NOON + MINUTE}, 0),
        ({"resolved_at": NOON + DAY, "recontact_at": WEEK}, 0),
        ({"resolved_at": NOON + DAY, "recontact_at": WEEK + MINUTE}, 1),
    ],
)
def test_first_contact_resolution_looks_at_seven_days_from_opening(ticket, resolved_once):
    assert sums("first_contact_resolution", ticket, as_of=NOON + 30 * DAY) == (resolved_once, 1, 1)


def test_first_contact_resolution_is_decided_at_seven_days_of_age():
    resolved = {"resolved_at": NOON + DAY}
    assert sums("first_contact_resolution", resolved, as_of=WEEK - MINUTE) == (0, 0, 1)
    assert sums("first_contact_resolution", resolved, as_of=WEEK) == (1, 1, 1)


def test_a_repeat_contact_after_as_of_is_not_known_yet():
    ticket = {"resolved_at": NOON + DAY, "recontact_at": WEEK - MINUTE}
    assert sums("first_contact_resolution", ticket, as_of=WEEK - 2 * MINUTE) == (0, 0, 1)
    assert sums("first_contact_resolution", ticket, as_of=WEEK) == (0, 1, 1)


def test_one_touch_needs_one_reply_no_reopening_and_a_resolution_within_the_week():
    tickets = [
        {"replies": 1, "reopens": 0, "resolved_at": NOON + DAY},
        {"replies": 2, "reopens": 0, "resolved_at": NOON + DAY},
        {"replies": 1, "reopens": 1, "resolved_at": NOON + DAY},
        {"replies": 1, "reopens": 0},
        {"replies": 0, "reopens": 0, "resolved_at": NOON + DAY},
        {"reopens": 0, "resolved_at": NOON + DAY},
    ]
    found = sums("first_contact_resolution", *tickets, variant="one_touch", as_of=WEEK)
    assert found == (1, 5, 5)


def test_waiting_time_sums_seconds_of_tickets_that_state_one():
    assert sums("waiting_time", {"wait_seconds": 60}, {"wait_seconds": 0}, {}, as_of=NOON) == (60, 2, 2)


def test_complaint_rate_is_complaints_of_tickets_that_say():
    tickets = [{"is_complaint": True}, {"is_complaint": False}, {}]
    assert sums("complaint_rate", *tickets, as_of=NOON) == (1, 2, 2)


def test_csat_is_the_top_two_share_of_ratings():
    tickets = [{"csat": score} for score in (1, 3, 4, 5)]
    assert sums("csat", *tickets, {}, as_of=NOON) == (2, 4, 4)


def test_csat_response_is_ratings_of_those_offered_else_of_those_resolved():
    tickets = [
        {"csat_offered": True, "csat": 4},
        {"csat_offered": True, "resolved_at": NOON},
        {"csat_offered": False, "resolved_at": NOON},
        {"csat": 1, "resolved_at": NOON},
    ]
    assert sums("csat_response", *tickets, as_of=NOON) == (2, 3, 3)
    assert sums("csat_response", *tickets, variant="of_resolved", as_of=NOON) == (1, 3, 3)


def test_reopen_rate_counts_reopenings_within_the_week_of_opening():
    tickets = [{"reopened_at": NOON + DAY}, {"reopened_at": WEEK + MINUTE}, {}]
    assert sums("reopen_rate", *tickets, as_of=WEEK + DAY) == (1, 3, 3)
    assert sums("reopen_rate", *tickets, as_of=NOON + 2 * DAY) == (0, 0, 3)


def test_reopen_rate_ever_counts_tickets_at_once():
    tickets = [{"reopens": 2}, {"reopens": 0}, {}]
    assert sums("reopen_rate", *tickets, variant="ever", as_of=NOON) == (1, 2, 2)


def test_a_window_from_resolution_leaves_unresolved_tickets_out():
    solved = {"resolved_at": NOON + DAY}
    tickets = [{**solved, "reopened_at": NOON + 8 * DAY}, {**solved, "recontact_at": NOON + 9 * DAY}, {}]
    options = {"variant": "from_resolution", "as_of": NOON + 20 * DAY}
    assert sums("first_contact_resolution", *tickets, **options) == (1, 2, 2)
    assert sums("reopen_rate", *tickets, **options) == (1, 2, 2)
    early = {"variant": "from_resolution", "as_of": NOON + 8 * DAY - MINUTE}
    assert sums("reopen_rate", *tickets, **early) == (0, 0, 2)


def test_the_window_is_a_setting():
    own = {"reopen_rate": {"window_days": 14}, "complaint_resolution": {"window_days": 30}}
    found = {entry.name: entry for entry in catalogue(project(metrics=own), ALL)}
    assert found["reopen_rate"].variant == 'window {"days": 14}'
    assert (found["reopen_rate"].window_days, found["complaint_resolution"].window_days) == (14, 30)
    late = {"reopened_at": NOON + 10 * DAY}
    for days, expected in ((7, 0), (14, 1)):
        entry = replace(metric("reopen_rate"), window_days=days)
        (row,) = measured(late, metrics=(entry,), as_of=NOON + 20 * DAY, sla=Sla())
        assert row["reopen_rate__sum"] == expected


def test_complaints_solved_and_handled_in_time_are_complaints_only():
    complaint = {"is_complaint": True}
    tickets = [
        {**complaint, "resolved_at": NOON + DAY},
        {**complaint, "resolved_at": NOON + 3 * DAY},
        {**complaint, "resolved_at": WEEK + MINUTE},
        complaint,
        {"is_complaint": False, "resolved_at": NOON},
        {"resolved_at": NOON},
    ]
    assert sums("complaint_resolution", *tickets, as_of=NOON + 30 * DAY) == (2, 4, 4)
    assert sums("complaint_handling", *tickets, as_of=NOON + 30 * DAY) == (1, 4, 4)


def test_an_event_is_judged_only_when_its_time_has_run_out():
    complaint = {"is_complaint": True, "closed_at": NOON}
    tickets = [
        {**complaint, "followed_up_at": NOON + 2 * DAY},
        {**complaint, "followed_up_at": NOON + 2 * DAY + MINUTE},
        complaint,
        {"is_complaint": True},
        {"is_complaint": False, "closed_at": NOON, "followed_up_at": NOON},
    ]
    assert sums("complaint_follow_up", *tickets, as_of=NOON + 2 * DAY) == (0, 0, 3)
    assert sums("complaint_follow_up", *tickets, as_of=NOON + 3 * DAY) == (1, 3, 3)
    # what comes later than as_of has not happened
    late = {**complaint, "closed_at": NOON + 9 * DAY}
    assert sums("complaint_follow_up", late, as_of=NOON + 3 * DAY) == (0, 0, 0)


def test_business_limits_run_in_open_hours():
    # Friday 16:50 in Shanghai: ten minutes before the end, twenty on Monday
    friday = datetime(2025, 3, 7, 8, 50)
    recorded = [datetime(2025, 3, 10, 1, 20), datetime(2025, 3, 10, 1, 21)]
    tickets = [{"opened_at": friday, "served_at": friday, "recorded_at": at} for at in recorded]
    options = {"metrics": (metric("record_in_time"),), "sla": Sla(), "calendar": OFFICE}
    ends = datetime(2025, 3, 10, 1, 20)
    for as_of, expected in ((ends, (0, 0)), (ends + 2 * MINUTE, (1, 2))):
        (row,) = measured(*tickets, as_of=as_of, **options)
        assert (row["record_in_time__sum"], row["record_in_time__decided"]) == expected


@pytest.mark.parametrize(
    ("delivered", "third"),
    [
        ("2025-03-03 10:00", "2025-03-06"),  # Monday: Tuesday, Wednesday, Thursday
        ("2025-03-06 23:30", "2025-03-11"),  # Thursday: over a weekend
        ("2025-03-08 10:00", "2025-03-12"),  # Saturday: Monday is the first
        ("2025-04-03 10:00", "2025-04-09"),  # Qingming on Friday 4 April
        ("2025-04-24 10:00", "2025-04-28"),  # Sunday 27 April is a make-up day
        ("2025-09-30 10:00", "2025-10-11"),  # National Day to 8 October, Saturday 11 October a make-up day
    ],
)
@pytest.mark.parametrize("engine", ["polars", "duckdb"])
def test_three_working_days_end_with_the_third_one_after_the_start(delivered, third, engine):
    shanghai = timedelta(hours=8)
    start = datetime.fromisoformat(delivered) - shanghai
    end = datetime.fromisoformat(f"{third} 23:59:59") - shanghai
    tickets = [
        {"opened_at": start, "delivered_at": start, "called_back_at": at}
        for at in (start, end, end + timedelta(seconds=1))
    ]
    options = {"metrics": (metric("delivery_call_back"),), "calendar": OFFICE, "sla": Sla(), "engine": engine}
    for as_of, expected in ((end, (0, 0)), (end + timedelta(seconds=1), (2, 3))):
        row = measured(*tickets, as_of=as_of, **options)[0]
        assert (row["delivery_call_back__sum"], row["delivery_call_back__decided"]) == expected


def test_working_days_are_local_days_west_of_greenwich_too():
    new_york = OFFICE.model_copy(update={"zone": "America/New_York", "holidays": None})
    start, end = datetime(2025, 3, 4, 1), datetime(2025, 3, 7, 4, 59, 59)  # Monday evening; Thursday ends
    tickets = [
        {"opened_at": start, "delivered_at": start, "called_back_at": at}
        for at in (end, end + timedelta(seconds=1))
    ]
    (row,) = measured(
        *tickets,
        metrics=(metric("delivery_call_back"),),
        as_of=end + timedelta(seconds=1),
        sla=Sla(),
        calendar=new_york,
    )
    assert (row["delivery_call_back__sum"], row["delivery_call_back__decided"]) == (1, 2)


def test_service_level_says_what_abandoned_calls_are():
    calls = [
        {"abandoned": False, "wait_seconds": 20},
        {"abandoned": False, "wait_seconds": 21},
        {"abandoned": False},
        {"abandoned": True, "wait_seconds": 5},
        {"abandoned": True},
        {"wait_seconds": 1},
    ]
    found = {
        variant: sums("service_level", *calls, variant=variant, as_of=NOON)
        for variant in VARIANTS["service_level"]
    }
    assert found == {"of_offered": (1, 4, 4), "of_answered": (1, 2, 2), "without_short_abandons": (1, 3, 3)}
    assert sums("abandonment_rate", *calls, as_of=NOON) == (2, 5, 5)


def test_net_promoters_are_promoters_minus_detractors():
    scores = [{"nps_score": score} for score in (0, 6, 7, 8, 9, 10, 10)]
    assert sums("nps", *scores, {}, as_of=NOON) == (1, 7, 7)
    (row,) = measured(*scores, metrics=(metric("nps"),), as_of=NOON, sla=Sla())
    assert row["nps__squares"] == 5


def test_the_satisfaction_index_starts_at_the_lowest_rating():
    ratings = [{"csat": score} for score in (1, 3, 5)]
    assert sums("csi", *ratings, {}, as_of=NOON) == (6, 3, 3)
    found = catalogue(
        project(source={"path": "t.csv", "scales": {"csat": [0, 10]}}, metrics={"csi": {}}), ("csat",)
    )
    csat, csi = (next(entry for entry in found if entry.name == name) for name in ("csat", "csi"))
    assert (csi.per_unit, csi.variant) == (0.1, 'of_csat {"scale": [0, 10]}')
    (row,) = measured({"csat": 9}, {"csat": 8}, metrics=(csat,), as_of=NOON, sla=Sla())
    assert row["csat__sum"] == 1


def test_record_completeness_counts_fields_or_whole_records():
    tickets = [{"team": "A", "customer_key": 1}, {"team": "A"}, {}]
    (_, row) = measured(*tickets, metrics=(metric("record_completeness"),), as_of=NOON, sla=Sla())
    assert (row["record_completeness__sum"], row["record_completeness__squares"]) == (3, 5)
    assert metric("record_completeness").per_unit == 2
    (_, row) = measured(*tickets, metrics=(metric("record_completeness", "records"),), as_of=NOON, sla=Sla())
    assert (row["record_completeness__sum"], row["record_completeness__decided"]) == (1, 2)


def test_vague_results_are_vague_among_stated_ones():
    tickets = [{"vague_result": True}, {"vague_result": False}, {"vague_result": False}, {}]
    assert sums("vague_results", *tickets, as_of=NOON) == (1, 3, 3)


def test_the_mean_of_two_channels_weighs_them_alike():
    calls = [
        {"channel": channel, "wait_seconds": wait}
        for channel, wait in (("phone", 60), ("phone", 180), ("phone", 120), ("online", 240), ("online", 360))
    ]
    entry = metric("waiting_time", "channel_mean")
    email = {"channel": "email", "wait_seconds": 9}
    (row,) = measured(*calls, email, metrics=(entry,), as_of=NOON, sla=Sla())
    frame = pd.DataFrame([row]).assign(day=pd.Timestamp(NOON.date()))
    pooled = replace(small(), frame=frame, metrics=(entry,)).pooled().iloc[0]
    assert pooled["numerator"] / pooled["denominator"] == pytest.approx((2 + 5) / 2)
    # squared standard errors of the two means: 1 / 3 and 1; a quarter of their sum
    n, mean = 5, 3.5
    assert (pooled["squares"] / n - mean**2) / (n - 1) == pytest.approx(1 / 3)
    assert sums("waiting_time", *calls, {"wait_seconds": 0}, variant="queued", as_of=NOON) == (960, 5, 5)


OWN = {"name": "x", "label": {"en": "X", "zh": "甲"}, "better": "higher"}


def own(**more: Any) -> Metric:
    (found,) = catalogue(project(own_metrics=[{**OWN, **more}]), ALL)[-1:]
    return found


@pytest.mark.parametrize(
    ("definition", "tickets", "expected"),
    [
        (
            {"kind": "share", "column": "own_text_1", "values": ["yes"], "where": {"channel": ["phone"]}},
            [{"own_text_1": "yes", "channel": "phone"}, {"own_text_1": "no", "channel": "phone"},
             {"own_text_1": "yes", "channel": "email"}, {"own_text_1": "yes"}, {"channel": "phone"}],
            (1, 2, 2),
        ),
        (
            {"kind": "share", "column": "is_complaint", "values": ["false"]},
            [{"is_complaint": False}, {"is_complaint": True}, {}],
            (1, 2, 2),
        ),
        (
            {"kind": "mean", "column": "own_number_1", "where": {"is_complaint": ["true"]}},
            [{"own_number_1": 3, "is_complaint": True}, {"own_number_1": 5}, {"is_complaint": True}],
            (3, 1, 1),
        ),
        (
            {"kind": "within_limit", "event": "own_time_1", "start": "own_time_2", "limit": "1 h",
             "clock": "calendar"},
            [{"own_time_2": NOON, "own_time_1": NOON + 60 * MINUTE}, {"own_time_2": NOON}, {}],
            (1, 2, 2),
        ),
    ],
)  # fmt: skip
def test_own_metrics_count_what_they_say(definition, tickets, expected):
    for engine in ("polars", "duckdb"):
        (row,) = measured(*tickets, metrics=(own(**definition),), as_of=WEEK, sla=Sla(), engine=engine)
        assert tuple(row[f"x__{part}"] for part in ("sum", "decided", "eligible")) == expected


def test_own_means_of_durations_are_in_the_unit_asked_for():
    found = own(kind="mean", column="handling_seconds", unit="hours", better="lower", target=1, alert=2)
    assert (found.unit, found.per_unit, found.kind, found.target, found.alert) == (
        "hours",
        3600,
        "mean",
        1,
        2,
    )
    found = own(kind="mean", column="resolution_calendar_minutes", unit="days")
    assert (found.unit, found.per_unit) == ("days", 1440)
    found = own(kind="mean", column="replies")
    assert (found.unit, found.per_unit) == ("number", 1)


def test_an_own_metric_without_its_columns_is_unavailable():
    settings = project(own_metrics=[{**OWN, "kind": "mean", "column": "own_number_1"}])
    assert "x" not in [entry.name for entry in catalogue(settings, ("opened_at",))]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (
            {"metrics": {"csat": {"window_days": 3}, "nps": {"unit": "seconds"}}},
            "`metrics.csat.window_days` has no meaning: only first_contact_resolution, reopen_rate, "
            "complaint_resolution take it. Remove it.\n"
            "`metrics.nps.unit` has no meaning: only waiting_time takes it. Remove it.",
        ),
        (
            {"own_metrics": [{**OWN, "name": "csat", "kind": "mean", "column": "csat"}]},
            "`own_metrics` must not use a name of the catalogue: csat. Choose another name.",
        ),
        (
            {"records": {"required": ["team", "customer"]}},
            "`records.required` must name columns that are mapped and hold a value, not customer. "
            "Map them under [source.columns] or take them out.",
        ),
    ],
)
def test_settings_without_meaning_are_refused(more, message):
    with pytest.raises(SettingsError) as refused:
        catalogue(project(**more), ("opened_at", "team"))
    assert str(refused.value) == message


def test_waiting_time_in_seconds_takes_its_target_along():
    (found,) = catalogue(project(metrics={"waiting_time": {"unit": "seconds"}}), ("wait_seconds",))
    assert (found.unit, found.per_unit, found.target) == ("seconds", 1, 180)


@pytest.mark.parametrize(("name", "variant"), METRICS)
def test_an_event_less_ticket_never_counts_as_good(name, variant):
    numerator, decided, eligible = sums(name, {}, variant=variant, as_of=NOON + 30 * DAY)
    assert numerator == 0
    assert decided <= eligible


@pytest.mark.parametrize("preferred", [True, False])
def test_duckdb_and_polars_give_the_same_sums(preferred):
    stamps = {"first_response_at": 9 * MINUTE, "resolved_at": 40 * MINUTE, "reopened_at": 50 * MINUTE}
    events = ("served_at", "recorded_at", "followed_up_at", "delivered_at", "called_back_at", "escalated_at")
    stamps |= {name: (3 + 7 * place) * MINUTE for place, name in enumerate((*events, "feedback_at"))}
    tickets = [
        {"team": f"T{n % 3}" if n % 3 else None, "opened_at": NOON + n * 7 * MINUTE, "wait_seconds": n}
        | {column: NOON + n * step for column, step in stamps.items() if n % len(column)}
        | {
            "replies": n % 3,
            "reopens": n % 2,
            "csat": n % 5 + 1 if n % 4 else None,
            "is_complaint": n % 7 == 0,
            "abandoned": n % 11 == 0 if n % 13 else None,
            "vague_result": n % 3 == 1 if n % 2 else None,
            "nps_score": n % 11 if n % 5 else None,
            "channel": ("phone", "online", "email")[n % 3],
        }
        for n in range(400)
    ]
    chosen = tuple(
        metric(name, list(variants)[0 if preferred else -1]) for name, variants in TICKET_METRICS.items()
    )
    options = {"metrics": chosen, "as_of": NOON + 9 * DAY, "sla": Sla(rules=RULES), "calendar": OFFICE}
    on_polars, on_duckdb = (measured(*tickets, engine=engine, **options) for engine in ("polars", "duckdb"))
    assert on_polars == on_duckdb
    assert [row["team"] for row in on_polars[:3]] == ["", "T1", "T2"]
    assert sum(row["tickets"] for row in on_polars) == 400


# --- the catalogue ---------------------------------------------------------------------------------

ALL = tuple(columns.TICKETS)


def project(**more: Any) -> Settings:
    sla = Sla(rules=RULES)
    return Settings.model_validate({"project": "P", "source": {"path": "t.csv"}, "sla": sla, **more})


#: What a project has that asks for nothing more.
USUAL = tuple(entry for entry in CATALOGUE if entry.name not in ("record_completeness", "csi"))


def test_a_source_with_every_column_has_every_metric_in_its_preferred_variant():
    assert catalogue(project(), ALL) == USUAL
    more = {"records": {"required": ["team", "customer"]}, "metrics": {"csi": {}}}
    found = catalogue(project(**more), ALL)
    assert found == tuple(metric(entry.name) for entry in CATALOGUE)


def test_targets_alerts_and_variants_of_the_project_replace_the_defaults():
    own = {"reopen_rate": {"target": 0.05, "variant": "ever"}, "csat": {"alert": 0.8}}
    found = {entry.name: entry for entry in catalogue(project(metrics=own), ALL)}
    assert found["reopen_rate"] == replace(metric("reopen_rate", "ever"), target=0.05)
    assert found["csat"] == replace(metric("csat"), alert=0.8)


@pytest.mark.parametrize(
    ("missing", "expected"),
    [
        ("reopened_at", {"first_contact_resolution": "one_touch", "reopen_rate": "ever"}),
        ("csat_offered", {"csat_response": "of_resolved"}),
        ("csat", {"csat": None, "csat_response": None}),
        ("wait_seconds", {"waiting_time": None, "service_level": None}),
        ("served_at", {"record_in_time": "of_response"}),
        ("closed_at", {"complaint_follow_up": "of_resolution"}),
    ],
)
def test_a_missing_or_empty_column_takes_the_next_variant_or_the_metric_away(missing, expected):
    usual = {entry.name: entry.variant for entry in USUAL}
    wanted = {name: variant for name, variant in {**usual, **expected}.items() if variant is not None}
    without = catalogue(project(), tuple(name for name in ALL if name != missing))
    empty = catalogue(project(), ALL, filled={**dict.fromkeys(ALL, 0.5), missing: 0.0})
    assert {entry.name: entry.variant for entry in without} == wanted
    assert empty == without


def test_a_variant_that_the_source_does_not_allow_is_not_replaced_by_another():
    own = {"reopen_rate": {"variant": "window"}}
    found = catalogue(project(metrics=own), ("opened_at", "reopens"))
    assert "reopen_rate" not in [entry.name for entry in found]


def test_on_time_metrics_need_a_limit_and_the_time_of_the_event():
    def on_time(present: tuple[str, ...], **sla: Any) -> list[str]:
        return [
            m.name
            for m in catalogue(project(sla=sla), present)
            if m.name in ("response_on_time", "resolution_on_time")
        ]

    first = {"measure": "first_response", "limit": "1 h"}
    assert on_time(ALL) == []
    assert on_time(ALL, rules=[first]) == ["response_on_time"]
    assert on_time(("resolved_at",), rules=[first]) == []
    assert on_time(("first_response_business_minutes",), rules=[first]) == ["response_on_time"]
    assert on_time(("first_response_calendar_minutes",), rules=[first]) == []
    assert on_time(("due_at", "resolved_at"), resolution="due_at") == ["resolution_on_time"]
    assert on_time(("resolved_at",), resolution="due_at") == []


@pytest.mark.parametrize(
    ("metrics", "message"),
    [
        (
            {"reopen_rat": {}},
            "`metrics` must name metrics of the catalogue, not 'reopen_rat'. "
            "Did you mean reopen_rate or retention_rate or churn_rate?",
        ),
        (
            {"reopen_rate": {"variant": "never"}},
            "`metrics.reopen_rate.variant` must be window or ever or from_resolution, not 'never'.",
        ),
    ],
)
def test_unknown_metrics_and_variants_are_refused(metrics, message):
    with pytest.raises(SettingsError, match=f"^{re.escape(message)}$"):
        catalogue(project(metrics=metrics), ALL)


def test_the_documented_definitions_are_those_of_the_catalogue():
    text = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## `(\w+)`\n(.*?)(?=^## |\Z)", text, flags=re.MULTILINE | re.DOTALL))
    every = (*CATALOGUE, *CUSTOMER_METRICS)
    assert list(sections) == [entry.name for entry in every]
    for entry in every:
        facts = dict(re.findall(r"^\| (\w[\w ]*) \| (.+?) \|$", sections[entry.name], flags=re.MULTILINE))
        amount = {"share": lambda x: f"{100 * x:g} %", "minutes": lambda x: f"{x:g} min"}.get(
            entry.unit, lambda x: f"{x:g}"
        )
        for kind in ("target", "alert"):
            value = getattr(entry, kind)
            assert facts[kind] == ("none" if value is None else amount(value))
        assert facts["better"] == entry.better
        assert re.findall(r"`(\w+)`", facts["variants"]) == list(VARIANTS[entry.name])


# --- pooling ---------------------------------------------------------------------------------------

READING = Reading(
    source="t.csv", sha256="0", encoding="utf-8", delimiter=",", preset=None, rows=1, used=1, rejected_rows=0,
    excluded={}, rejects=(Failure("csat", 2, "x", "is no number."),), reject_count=1, flags={},
    columns=ALL, filled=dict.fromkeys(ALL, 1.0), headings={},
    first_opened=NOON.replace(tzinfo=UTC), last_opened=NOON.replace(tzinfo=UTC),
    latest=NOON.replace(tzinfo=UTC), zone="UTC",
)  # fmt: skip


def small() -> Measures:
    days = ["2025-03-02", "2025-03-03", "2025-03-09", "2025-03-10"]
    frame = pd.DataFrame({
        "day": pd.to_datetime(days),
        "team": ["A", "A", "B", ""],
        "tickets": [10, 10, 4, 1],
        "no_reply": [1, 0, 0, 0],
        "csat__sum": [9, 1, 2, 0],
        "csat__decided": [9, 2, 4, 0],
        "csat__eligible": [9, 3, 4, 1],
        "waiting_time__sum": [600, 60, 120, 0],
        "waiting_time__decided": [5, 1, 2, 0],
        "waiting_time__eligible": [5, 1, 2, 0],
        "waiting_time__squares": [72000, 3600, 7200, 0],
    })  # fmt: skip
    return Measures(
        frame=frame,
        keys=("day", "team"),
        metrics=(metric("waiting_time"), metric("csat")),
        unavailable=("complaint_rate", "response_on_time"),
        reading=READING,
        as_of=NOON.replace(tzinfo=UTC),
        zone="UTC",
        key="0",
    )


def test_rates_are_pooled_as_sums_over_sums():
    rows = small().pooled("team", metrics=("csat",)).to_dict("records")
    assert rows == [
        {"team": "", "metric": "csat", "numerator": 0.0, "denominator": 0, "undecided": 1,
         "squares": 0.0, "tickets": 1, "no_reply": 0},
        {"team": "A", "metric": "csat", "numerator": 10.0, "denominator": 11, "undecided": 1,
         "squares": 10.0, "tickets": 20, "no_reply": 1},
        {"team": "B", "metric": "csat", "numerator": 2.0, "denominator": 4, "undecided": 0,
         "squares": 2.0, "tickets": 4, "no_reply": 0},
    ]  # fmt: skip


def test_a_mean_is_given_in_minutes_with_the_squares_of_minutes():
    (row,) = small().pooled(metrics=("waiting_time",)).to_dict("records")
    assert (row["numerator"], row["denominator"], row["squares"]) == (13.0, 8, 23.0)


def test_weeks_start_on_monday():
    rows = small().pooled("week", metrics=("csat",))
    assert list(rows["week"].dt.date) == [date(2025, 2, 24), date(2025, 3, 3), date(2025, 3, 10)]
    assert list(rows["denominator"]) == [9, 6, 0]


def test_days_and_values_can_be_chosen_both_ends_included():
    measures = small()
    days = measures.pooled(metrics=("csat",), first=date(2025, 3, 3), last=date(2025, 3, 9))
    assert list(days["denominator"]) == [6]
    assert list(measures.pooled(metrics=("csat",), where={"team": ("B",)})["denominator"]) == [4]
    nothing = measures.pooled(metrics=("csat",), where={"team": ("Z",)})
    assert nothing[["numerator", "denominator", "tickets"]].to_numpy().tolist() == [[0.0, 0, 0]]
    assert measures.pooled("team", metrics=("csat",), where={"team": ("Z",)}).empty


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "complaint_rate",
            "`metric` must be one that the source allows, not 'complaint_rate'. "
            "It needs is_complaint: map them in [source.columns].",
        ),
        (
            "response_on_time",
            "`metric` must be one that the source allows, not 'response_on_time'. "
            "It needs a limit in [sla] and the time of the event: map them in [source.columns].",
        ),
        ("cast", "`metric` must be one of the catalogue, not 'cast'. Did you mean csat or csi?"),
    ],
)
def test_a_metric_that_is_not_there_is_refused(name, message):
    with pytest.raises(SettingsError, match=f"^{re.escape(message)}$"):
        small().metric(name)


def test_an_unknown_cut_is_refused():
    message = (
        "`by` and `where` must name day, week or a cut, not 'region'. "
        "Cuts of these measures: team; add it to `cuts` in the settings."
    )
    with pytest.raises(SettingsError, match=f"^{re.escape(message)}$"):
        small().pooled("region")


# --- the stored table ------------------------------------------------------------------------------

CSV = """id,opened,answered,solved,team,rating
1,2025-03-03 12:00,2025-03-03 12:10,2025-03-03 13:00,A,5
2,2025-03-03 23:30,2025-03-04 02:00,2025-03-05 13:00,,3
3,2025-03-04 12:00,,,A,
"""
TOML = """
project = "Small"
cuts = ["team"]
[source]
path = "tickets.csv"
[source.columns]
ticket_id = "id"
opened_at = "opened"
first_response_at = "answered"
resolved_at = "solved"
team = "team"
csat = "rating"
[calendar]
zone = "Asia/Shanghai"
[[sla.rules]]
measure = "first_response"
limit = "1 h"
clock = "calendar"
"""


@pytest.fixture
def small_project(tmp_path):
    folder = tmp_path / "a[1] project"  # brackets must not be read as a pattern
    folder.mkdir()
    (folder / "tickets.csv").write_text(CSV, encoding="utf-8")
    (folder / "playbook.toml").write_text(TOML, encoding="utf-8")
    return folder


def test_measures_are_computed_from_the_source_by_local_day(small_project):
    measures = load_measures(read_settings(small_project / "playbook.toml"))
    assert measures.as_of == datetime(2025, 3, 5, 13, tzinfo=UTC)
    assert (measures.keys, measures.zone) == (("day", "team"), "Asia/Shanghai")
    names = ["day", "team", "tickets", "response_on_time__sum", "response_on_time__decided", "csat__sum"]
    found = measures.frame[names].astype({"day": "str", "team": "object"}).to_numpy().tolist()
    assert found == [
        ["2025-03-03", "A", 1, 1, 1, 1],
        ["2025-03-04", "", 1, 0, 1, 0],
        ["2025-03-04", "A", 1, 0, 1, 0],
    ]
    assert {str(kind) for kind in measures.frame.dtypes.iloc[2:]} == {"int64"}
    assert measures.unavailable == tuple(
        name
        for name in TICKET_METRICS
        if name not in ("response_on_time", "csat", "csat_response", "csi")  # nobody asked for the last
    )


@pytest.mark.slow
def test_stored_measures_are_loaded_without_the_engine(small_project):
    settings = read_settings(small_project / "playbook.toml")
    computed = load_measures(settings)
    script = (
        "import json, sys\n"
        "from csimprove.metrics import load_measures\n"
        "from csimprove.settings import read_settings\n"
        f"measures = load_measures(read_settings({str(small_project / 'playbook.toml')!r}))\n"
        "loaded = [name for name in ('duckdb', 'narwhals', 'polars') if name in sys.modules]\n"
        "print(json.dumps([loaded, measures.key, measures.frame.to_csv()]))\n"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert json.loads(result.stdout) == [[], computed.key, computed.frame.to_csv()]
    stored = load_measures(settings)
    assert (stored.metrics, stored.reading) == (computed.metrics, computed.reading)


@pytest.mark.slow
def test_data_settings_and_as_of_each_make_other_measures(small_project):
    file = small_project / "playbook.toml"
    first = load_measures(read_settings(file))
    assert load_measures(read_settings(file)).key == first.key
    dated = load_measures(read_settings(file), as_of="2025-03-04")
    file.write_text(TOML.replace("1 h", "2 h"), encoding="utf-8")
    limited = load_measures(read_settings(file))
    (small_project / "tickets.csv").write_text(CSV.replace("A,5", "A,2"), encoding="utf-8")
    rated = load_measures(read_settings(file))
    assert len({measures.key for measures in (first, dated, limited, rated)}) == 4
    file.write_text('language = "zh"\n' + TOML.replace("1 h", "2 h"), encoding="utf-8")
    assert load_measures(read_settings(file)).key == rated.key


@pytest.mark.slow
def test_a_changed_source_file_makes_stored_measures_invalid(small_project, monkeypatch, tmp_path_factory):
    settings = read_settings(small_project / "playbook.toml")
    first = load_measures(settings)
    package = tmp_path_factory.mktemp("package")
    shutil.copytree(store._PACKAGE, package, dirs_exist_ok=True)
    monkeypatch.setattr(store, "_PACKAGE", package)
    assert load_measures(settings).key == first.key
    for name in ("sla/clock.py", "presets/zendesk.toml", "metrics/engine.py", "tickets/reader.py"):
        with (package / name).open("a", encoding="utf-8") as file:
            file.write("# changed\n")
        changed = load_measures(settings)
        assert changed.key != first.key
        first = changed


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["measures.json", "measures.parquet", "reading.json"])
def test_damaged_measures_are_computed_again(small_project, damage):
    settings = read_settings(small_project / "playbook.toml")
    first = load_measures(settings)
    (file,) = (small_project / "reports").glob(f"small/measures/{first.key[:16]}/{damage}")
    file.write_text("{}", encoding="utf-8")
    again = load_measures(settings)
    pd.testing.assert_frame_equal(again.frame, first.frame)
    assert file.stat().st_size > 2


def test_measures_that_another_process_stored_meanwhile_stay_as_they_are(small_project, monkeypatch):
    settings = read_settings(small_project / "playbook.toml")
    first = load_measures(settings)
    (tickets,) = (small_project / "reports").glob("small/measures/*/tickets.parquet")
    before = tickets.stat().st_ino  # whoever is reading it has this very file
    answers = iter([None])  # not there when asked first
    stored = store._stored
    monkeypatch.setattr(store, "_stored", lambda place, key: next(answers, stored(place, key)))
    again = load_measures(settings)
    pd.testing.assert_frame_equal(again.frame, first.frame)
    assert tickets.stat().st_ino == before


def test_a_folder_that_cannot_be_written_does_not_stop_the_computing(small_project):
    (small_project / "reports").write_text("a file, not a folder", encoding="utf-8")
    measures = load_measures(read_settings(small_project / "playbook.toml"))
    assert measures.frame["tickets"].sum() == 3
    assert sorted(path.name for path in small_project.iterdir()) == [
        ".csimprove.key", "playbook.toml", "reports", "tickets.csv",
    ]  # fmt: skip


def test_nothing_is_left_behind_when_the_source_cannot_be_used(small_project):
    (small_project / "tickets.csv").write_text("id,opened\n", encoding="utf-8")
    with pytest.raises(TicketDataError):
        load_measures(read_settings(small_project / "playbook.toml"))
    assert list((small_project / "reports" / "small" / "measures").iterdir()) == []


@pytest.mark.parametrize(
    ("as_of", "moment"),
    [
        (date(2025, 3, 4), datetime(2025, 3, 4, 15, 59, 59)),
        ("2025-03-04", datetime(2025, 3, 4, 15, 59, 59)),
        ("2025-03-04T18:00", datetime(2025, 3, 4, 10)),
        ("2025-03-04T18:00Z", datetime(2025, 3, 4, 18)),
        (datetime(2025, 3, 4, 18, 0, 0, 999), datetime(2025, 3, 4, 10)),
        (datetime(2025, 3, 4, 18, tzinfo=UTC), datetime(2025, 3, 4, 18)),
    ],
)
def test_as_of_is_the_end_of_a_local_day_or_a_moment(small_project, as_of, moment):
    found = load_measures(read_settings(small_project / "playbook.toml"), as_of=as_of)
    assert found.as_of == moment.replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("as_of", "message"),
    [
        (
            "yesterday",
            '`as_of` must be a day or a time such as "2025-03-31" or "2025-03-31T18:00", not \'yesterday\'.',
        ),
        (
            "2025-03-02",
            "`as_of` must not be before the first ticket was opened (2025-03-03 12:00 UTC), "
            "not 2025-03-02 15:59 UTC.",
        ),
    ],
)
def test_an_as_of_that_cannot_be_is_refused(small_project, as_of, message):
    with pytest.raises(SettingsError, match=f"^{re.escape(message)}$"):
        load_measures(read_settings(small_project / "playbook.toml"), as_of=as_of)


def test_a_pilot_by_a_column_that_cannot_be_cut_by_is_refused_before_reading(small_project):
    plan = """
[pilot]
unit = "tam"
group = "team"
pilot = ["A"]
control = ["B"]
before = [2025-03-03, 2025-03-03]
during = [2025-03-04, 2025-03-04]
minimum_gain = { response_on_time = 0.05, first_contact_resolution = 0.05 }
"""
    file = small_project / "playbook.toml"
    file.write_text(TOML + plan, encoding="utf-8")
    (small_project / "tickets.csv").unlink()
    message = "`pilot` must name columns to cut by, not 'tam'. Did you mean team or stage?"
    with pytest.raises(SettingsError, match=f"^{re.escape(message)}$"):
        load_measures(read_settings(file))


# --- real exports ----------------------------------------------------------------------------------

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
real = pytest.mark.skipif(not SHARED.exists(), reason="the real exports are not there")


def pooled(name: str, folder: Path, as_of: str | None = None) -> dict[str, Any]:
    settings = read_settings(Path(__file__).parent / "settings" / f"{name}.toml")
    measures = load_measures(settings, as_of=as_of, folder=folder)
    return {row["metric"]: row for row in measures.pooled().to_dict("records")}


def fraction(row: dict[str, Any]) -> tuple[int, int]:
    return int(row["numerator"]), row["denominator"]


@real
def test_zendesk_figures(tmp_path):
    found = pooled("zendesk", tmp_path)
    assert fraction(found["response_on_time"]) == (3077, 6649)  # 46.28 %
    assert found["response_on_time"]["no_reply"] == 1574
    assert fraction(found["reopen_rate"]) == (1357, 8223)  # 16.50 %
    assert fraction(found["csat"]) == (362, 407)  # 88.94 %
    assert fraction(found["csat_response"]) == (407, 407 + 2251)
    assert found["csat"]["tickets"] == 8223


@pytest.mark.slow
@real
def test_zendesk_resolution_times_are_those_of_our_clock(tmp_path):
    pooled("zendesk", tmp_path)
    (file,) = tmp_path.glob("*/tickets.parquet")
    settings = read_settings(Path(__file__).parent / "settings" / "zendesk.toml")
    tickets = pl.read_parquet(file).filter(pl.col("resolved_at").is_not_null())
    unstated = tickets.with_columns(
        stated=pl.col("resolution_business_minutes"),
        resolution_business_minutes=pl.lit(None, pl.Int64),
    )
    first, last = tickets["opened_at"].min(), tickets["resolved_at"].max()
    frames = (
        unstated,
        pl.from_arrow(canonical([], columns.PAUSES)),
        pl.from_arrow(calendar_table(settings.calendar, first.date(), last.date()).frame),
        pl.from_arrow(_any_rule(tickets)),
    )
    frame = time_tickets(*(nw.from_native(frame.lazy()) for frame in frames), as_of=last, sla=Sla())
    timed = frame.collect("polars").to_native()
    assert len(timed) == 7363
    assert ((timed["resolution_clock_s"] / 60 - timed["stated"]).abs() <= 1).mean() >= 0.983


def _any_rule(tickets: pl.DataFrame) -> Any:
    rule = SlaRule(measure="resolution", limit="1 d")
    rows = tickets.select(pl.col(name).fill_null("") for name in columns.RULE_KEYS).unique().rows()
    return resolve_rules([rule], dict.fromkeys(rows, 1))


@real
def test_boston_cases_due_and_the_citys_own_flag(tmp_path):
    found = pooled("boston", tmp_path, as_of="2016-01-12T22:22:40-05:00")
    assert fraction(found["resolution_on_time"]) == (5179, 7517)  # 68.90 %
    assert found["resolution_on_time"]["undecided"] == 8357 - 7517
    assert found["resolution_on_time"]["tickets"] == 10332
    (file,) = tmp_path.glob("*/tickets.parquet")
    tickets = pl.read_parquet(file).filter(pl.col("due_at").is_not_null())
    snapshot = pl.lit(datetime(2016, 1, 13, 3, 22, 40))
    ours = pl.coalesce("resolved_at", snapshot) <= pl.col("due_at")
    city = pl.read_csv(SHARED / "boston311_2015-06.csv", infer_schema=False)
    flags = city.select(pl.col("CASE_ENQUIRY_ID").alias("ticket_id"), pl.col("OnTime_Status"))
    joined = tickets.select("ticket_id", ours.alias("ours")).join(flags, on="ticket_id")
    assert (joined["ours"] == (joined["OnTime_Status"] == "ONTIME")).all()
    assert len(joined) == 8357

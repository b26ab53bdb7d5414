"""The clock against a minute walk, the rules, and what is decided at `as_of`."""

from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import accumulate, product
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import hypothesis.strategies as st
import narwhals as nw
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings

from csimprove import columns
from csimprove.errors import SettingsError, TicketDataError
from csimprove.settings import Calendar, Settings, Sla, SlaRule, parse_interval
from csimprove.sla import TIMED, calendar_table, resolve_rules, time_tickets

TYPES = {
    "VARCHAR": pa.string(),
    "BIGINT": pa.int64(),
    "SMALLINT": pa.int16(),
    "BOOLEAN": pa.bool_(),
    "TIMESTAMP": pa.timestamp("us"),
}


def canonical(rows: list[dict[str, Any]], types: dict[str, str] = columns.TICKETS) -> pa.Table:
    """Canonical table from the columns that matter; the others are null."""
    schema = pa.schema([(name, TYPES[kind]) for name, kind in types.items()])
    return pa.Table.from_pylist([{name: row.get(name) for name in types} for row in rows], schema=schema)


def on_duckdb(table: pa.Table) -> nw.LazyFrame[Any]:
    return nw.from_native(duckdb.connect().from_arrow(table))


def on_polars(table: pa.Table) -> nw.LazyFrame[Any]:
    return nw.from_native(pl.from_arrow(table).lazy())


def timed(
    tickets: list[dict[str, Any]],
    pauses: list[dict[str, Any]] = (),
    *,
    calendar: Calendar | None = None,
    sla: Sla | None = None,
    as_of: datetime,
    engine: str = "polars",
) -> pd.DataFrame:
    """Timed tickets in order of their id."""
    sla = sla or Sla(rules=[SlaRule(measure="first_response", limit="1 h", clock="calendar")])
    by_id = {ticket["ticket_id"]: ticket for ticket in tickets}
    rows = [{**by_id[pause["ticket_id"]], **pause} for pause in pauses]
    first = min(ticket["opened_at"] for ticket in tickets).date()
    combinations = {tuple(ticket.get(key) or "" for key in columns.RULE_KEYS): 1 for ticket in tickets}
    tables = (
        canonical(tickets),
        canonical(rows, columns.PAUSES),
        calendar_table(calendar or Calendar(), first, as_of.date()).frame,
        resolve_rules(sla.rules, combinations),
    )
    if engine == "duckdb":
        con = duckdb.connect()
        frames = [nw.from_native(con.from_arrow(table)) for table in tables]
    else:
        frames = [on_polars(table) for table in tables]
    result = time_tickets(*frames, as_of=as_of, sla=sla).collect("pyarrow").to_native()
    return result.to_pandas().sort_values("ticket_id", ignore_index=True)


# --- the calendar against a minute walk ------------------------------------------------------------

NIGHTS = {"fri": ("22:00-06:00",), "sat": ("22:00-03:30",), "sun": ("01:30-02:30", "09:00-12:00")}
OFFICE = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), ("09:00-12:00", "13:00-18:00"))
SHIFTS = {**OFFICE, "sat": ("20:00-08:00",), "sun": ("00:00-24:00",)}
CASES = {
    "new york, spring": (Calendar(zone="America/New_York", hours=NIGHTS), date(2025, 3, 6), 6),
    "new york, autumn": (Calendar(zone="America/New_York", hours=NIGHTS), date(2025, 10, 30), 6),
    "berlin, spring": (Calendar(zone="Europe/Berlin", hours=SHIFTS), date(2025, 3, 27), 6),
    "berlin, autumn": (Calendar(zone="Europe/Berlin", hours=SHIFTS), date(2025, 10, 23), 6),
    "lord howe, half an hour": (Calendar(zone="Australia/Lord_Howe", hours=NIGHTS), date(2025, 4, 3), 6),
    "spring festival": (
        Calendar(zone="Asia/Shanghai", hours={**OFFICE, "thu": ("21:00-05:00",)}, holidays="CN"),
        date(2025, 1, 23),
        18,
    ),
    "own days": (
        Calendar(
            zone="Asia/Shanghai", hours=OFFICE, holidays="CN", open_as="fri",
            closed=(date(2025, 5, 8),), open=(date(2025, 5, 1), date(2025, 5, 10)),
        ),
        date(2025, 4, 25),
        18,
    ),
    "always open": (Calendar(zone="Asia/Kathmandu"), date(2025, 1, 1), 3),
}  # fmt: skip
#: Public holidays and make-up workdays inside the windows above, from the State Council's notice for 2025.
HOLIDAYS = {
    *(date(2025, 1, day) for day in (28, 29, 30, 31)),
    *(date(2025, 2, day) for day in (1, 2, 3, 4)),
    *(date(2025, 5, day) for day in (1, 2, 3, 4, 5)),
}
MAKE_UP = {date(2025, 1, 26), date(2025, 2, 8), date(2025, 4, 27)}
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def weekday_of(calendar: Calendar, day: date) -> str | None:
    if day in calendar.closed:
        return None
    if day in calendar.open or (calendar.holidays and day in MAKE_UP):
        return calendar.open_as
    return None if calendar.holidays and day in HOLIDAYS else WEEKDAYS[day.weekday()]


def is_open(calendar: Calendar, moment: datetime) -> bool:
    if calendar.hours is None:
        return True
    wall = moment.astimezone(ZoneInfo(calendar.zone))
    minute = wall.hour * 60 + wall.minute
    for back in (0, 1):  # a shift of the day before may still run
        weekday = weekday_of(calendar, wall.date() - timedelta(days=back))
        for interval in calendar.hours.get(weekday, ()) if weekday else ():
            start, end = parse_interval(interval)
            if start <= minute + 1440 * back < end:
                return True
    return False


@cache
def walk(case: str) -> list[bool]:
    """Whether each UTC minute of the window is open."""
    calendar, first, days = CASES[case]
    start = datetime(first.year, first.month, first.day, tzinfo=UTC)
    return [is_open(calendar, start + timedelta(minutes=minute)) for minute in range(days * 1440)]


@pytest.mark.parametrize("case", CASES)
def test_every_minute_of_the_calendar_is_right(case):
    calendar, first, days = CASES[case]
    table = calendar_table(calendar, first, first + timedelta(days=days - 1)).frame.to_pylist()
    read = []
    for row in table:
        pieces = [(row[f"s{place}"], row[f"l{place}"]) for place in range((len(row) - 10) // 2)]
        read += [
            row["cum"] + sum(min(max(second - start, 0), length) for start, length in pieces)
            for second in range(0, 86400, 60)
        ]
    assert read == [0, *accumulate(60 * minute for minute in walk(case))][:-1]


@pytest.mark.parametrize("case", CASES)
def test_local_days_follow_the_zone_through_every_hour(case):
    calendar, first, days = CASES[case]
    start = datetime(first.year, first.month, first.day, tzinfo=UTC)
    moments = [start + timedelta(minutes=30 * step) for step in range(48 * days)]
    rows = [
        {"ticket_id": f"{step:04}", "opened_at": m.replace(tzinfo=None)} for step, m in enumerate(moments)
    ]
    found = timed(rows, calendar=calendar, as_of=moments[-1])
    zone = ZoneInfo(calendar.zone)
    assert list(found["day"]) == [m.astimezone(zone).toordinal() - 719163 for m in moments]


def test_years_without_known_holidays_count_weekdays_and_are_named():
    calendar = Calendar(zone="Asia/Shanghai", hours=OFFICE, holidays="CN")
    table = calendar_table(calendar, date(2026, 12, 30), date(2027, 1, 4))
    assert table.estimated_years == (2027,)
    assert table.frame["cum"].to_pylist() == [28800 * n for n in (0, 1, 2, 3, 3, 3)]


# --- the rules -------------------------------------------------------------------------------------


def rule(limit: str, measure: str = "first_response", **keys: Any) -> SlaRule:
    return SlaRule(measure=measure, limit=limit, **keys)


def limit(seconds: int, *, business: int) -> dict[str, int | None]:
    none = {"resolution_limit_s": None, "resolution_business": None}
    return {"response_limit_s": seconds, "response_business": business, **none}


def test_the_rule_that_names_most_keys_wins():
    rules = [
        rule("2 h"),
        rule("15 min", severity="A", clock="calendar"),
        rule("10 min", severity="A", stage="after"),
    ]
    table = resolve_rules(rules, {("after", "phone", "A"): 1, ("pre", "phone", "A"): 1, ("pre", "", ""): 1})
    assert table.to_pylist() == [
        {"stage": "after", "channel": "phone", "severity": "A", **limit(600, business=1)},
        {"stage": "pre", "channel": "", "severity": "", **limit(7200, business=1)},
        {"stage": "pre", "channel": "phone", "severity": "A", **limit(900, business=0)},
    ]


def test_two_rules_that_both_win_are_a_settings_error_naming_both():
    rules = [
        rule("1 h"),
        rule("10 min", stage="after", channel="phone"),
        rule("15 min", stage="after", severity="A"),
    ]
    with pytest.raises(SettingsError) as error:
        resolve_rules(rules, {("after", "phone", "A"): 3})
    assert str(error.value) == (
        "`sla.rules` must give one limit, not two, for stage after, channel phone, severity A: "
        "rule 2 (first_response, channel phone, stage after) and "
        "rule 3 (first_response, severity A, stage after) name equally many keys. "
        "Remove one or add a rule that names more."
    )


def test_every_combination_without_a_rule_is_listed_with_its_tickets():
    rules = [rule("1 h", channel="phone"), rule("1 d", "resolution")]
    with pytest.raises(TicketDataError) as error:
        resolve_rules(
            rules, {("", "phone", ""): 5, ("", "email", "A"): 1200, ("", "", ""): 1}, source="t.csv"
        )
    assert str(error.value) == (
        "t.csv cannot be used:\n"
        "  column 'stage, channel, severity': no first_response rule matches 1 ticket. "
        "Add one to `sla.rules`. Value: 'stage (none), channel (none), severity (none)'.\n"
        "  column 'stage, channel, severity': no first_response rule matches 1,200 tickets. "
        "Add one to `sla.rules`. Value: 'stage (none), channel email, severity A'."
    )


def test_the_sample_programme_has_exactly_one_rule_for_everything():
    file = Path(__file__).parents[1] / "data" / "sample" / "playbook.toml"
    if not file.exists():
        pytest.skip("the sample programme is not there")
    sample = Settings.model_validate({**tomllib.loads(file.read_text(encoding="utf-8")), "file": file})
    named = [sorted({getattr(rule, key) for rule in sample.sla.rules} - {None}) for key in columns.RULE_KEYS]
    combinations = dict.fromkeys(product(*named), 1)
    assert len(combinations) >= 12
    table = resolve_rules(sample.sla.rules, combinations).to_pandas()
    assert table[["response_limit_s", "resolution_limit_s"]].notna().all(axis=None)


# --- timing against a minute walk ------------------------------------------------------------------

RULES = [
    rule("3 h"),
    rule("5 h", clock="calendar", severity="A"),
    rule("9 h", "resolution", clock="calendar"),
    rule("8 h", "resolution", severity="A"),
]


@st.composite
def programmes(draw: st.DrawFn) -> tuple[str, list[dict[str, Any]], int]:
    """A window, tickets in minutes from its start, and `as_of`."""
    case = draw(st.sampled_from(sorted(CASES)))
    last = CASES[case][2] * 1440 - 1
    minute = st.integers(0, last)
    ticket = st.fixed_dictionaries({
        "opened": minute,
        "response": st.none() | minute,
        "resolved": st.none() | minute,
        "severity": st.sampled_from(["A", "B", None]),
        "pauses": st.lists(st.tuples(minute, st.none() | minute), max_size=3),
    })  # fmt: skip
    return case, draw(st.lists(ticket, min_size=1, max_size=40)), draw(st.integers(last // 2, last))


def expected(case: str, ticket: dict[str, Any], as_of: int) -> dict[str, Any]:
    """One ticket by walking its minutes, one by one."""
    opened = ticket["opened"]
    found = {}
    for measure, event in (("response", ticket["response"]), ("resolution", ticket["resolved"])):
        business = (measure == "response") != (ticket["severity"] == "A")
        limit = {
            ("response", True): 3,
            ("response", False): 5,
            ("resolution", False): 9,
            ("resolution", True): 8,
        }
        seconds = limit[measure, business] * 3600
        happened = event is not None and event <= as_of
        stop = max(event, opened) if happened else as_of
        paused = {
            minute
            for start, end in ticket["pauses"]
            for minute in range(start, as_of if end is None else end)
            if opened <= minute < stop
        }
        running = [
            minute not in paused and (not business or walk(case)[minute]) for minute in range(opened, as_of)
        ]
        clock, until_end = 60 * sum(running[: stop - opened]), 60 * sum(running)
        decided = until_end > seconds
        found |= {
            f"{measure}_clock_s": clock,
            f"{measure}_decided": int(decided),
            f"{measure}_met": int(happened and clock <= seconds) if decided else None,
        }
    return found


def disjoint(pauses: list[tuple[int, int | None]], end_of_time: int) -> list[tuple[int, int | None]]:
    """Union of pauses, as the reader stores them."""
    minutes: list[tuple[int, int]] = []
    for start, end in sorted((start, end_of_time if end is None else end) for start, end in pauses):
        start = max([start, *(end for _, end in minutes)])
        if end > start:
            minutes.append((start, end))
    return [(start, None if end == end_of_time else end) for start, end in minutes]


@pytest.mark.slow
@settings(max_examples=10, deadline=None)
@given(programmes())
def test_timed_tickets_equal_a_minute_walk_on_both_engines(programme):
    case, drawn, as_of = programme
    calendar, first, _ = CASES[case]

    def moment(minute: int | None) -> datetime | None:
        start = datetime(first.year, first.month, first.day)
        return None if minute is None else start + timedelta(minutes=minute)

    drawn = [ticket for ticket in drawn if ticket["opened"] <= as_of] or [{**drawn[0], "opened": as_of}]
    tickets, pauses = [], []
    for number, ticket in enumerate(drawn):
        name = f"{number:02}"
        stamps = {"opened_at": "opened", "first_response_at": "response", "resolved_at": "resolved"}
        row = {column: moment(ticket[key]) for column, key in stamps.items()}
        tickets.append({"ticket_id": name, "severity": ticket["severity"], **row})
        pauses += [
            {"ticket_id": name, "start_at": moment(start), "end_at": moment(end)}
            for start, end in disjoint(ticket["pauses"], 10**6)
        ]
    options = {"calendar": calendar, "sla": Sla(rules=RULES), "as_of": moment(as_of)}
    on_polars = timed(tickets, pauses, engine="polars", **options)
    on_duckdb = timed(tickets, pauses, engine="duckdb", **options)
    pd.testing.assert_frame_equal(on_polars, on_duckdb)
    wanted = pd.DataFrame([expected(case, ticket, as_of) for ticket in drawn])
    pd.testing.assert_frame_equal(on_polars[list(wanted)].astype("float64"), wanted.astype("float64"))


# --- what is decided -------------------------------------------------------------------------------

NOON = datetime(2025, 3, 3, 12)
MINUTE = timedelta(minutes=1)
OUTCOME = ["response_clock_s", "response_decided", "response_met"]


def outcome(as_of: datetime, sla: Sla | None = None, **ticket: Any) -> tuple[Any, ...]:
    found = timed([{"ticket_id": "1", "opened_at": NOON, **ticket}], as_of=as_of, sla=sla)
    return tuple(None if pd.isna(value) else int(value) for value in found[OUTCOME].iloc[0])


def test_an_answered_ticket_is_undecided_until_its_limit_has_passed():
    answered = {"first_response_at": NOON + 5 * MINUTE}
    assert outcome(NOON + 60 * MINUTE, **answered) == (300, 0, None)
    assert outcome(NOON + 61 * MINUTE, **answered) == (300, 1, 1)


def test_an_answer_at_the_limit_is_met_and_one_later_is_missed():
    later = NOON + 300 * MINUTE
    assert outcome(later, first_response_at=NOON + 60 * MINUTE) == (3600, 1, 1)
    assert outcome(later, first_response_at=NOON + 61 * MINUTE) == (3660, 1, 0)


def test_an_answer_after_as_of_has_not_happened():
    assert outcome(NOON + 90 * MINUTE, first_response_at=NOON + 100 * MINUTE) == (5400, 1, 0)


def test_an_answer_before_the_opening_took_no_time():
    assert outcome(NOON + 90 * MINUTE, first_response_at=NOON - 5 * MINUTE) == (0, 1, 1)


def test_a_ticket_opened_after_as_of_is_not_there():
    tickets = [{"ticket_id": str(n), "opened_at": NOON + n * MINUTE} for n in range(3)]
    assert list(timed(tickets, as_of=NOON + MINUTE)["ticket_id"]) == ["0", "1"]


def test_a_measure_without_rules_has_no_limit_and_is_never_decided():
    only = Sla(rules=[rule("1 h", "resolution")])
    assert outcome(NOON + timedelta(days=9), sla=only, first_response_at=NOON) == (0, 0, None)


@pytest.mark.parametrize("engine", ["polars", "duckdb"])
def test_a_combination_that_is_missing_from_the_rules_is_never_met(engine):
    tickets = canonical([{"ticket_id": "1", "opened_at": NOON, "first_response_at": NOON, "channel": "fax"}])
    tables = [
        tickets,
        canonical([], columns.PAUSES),
        calendar_table(Calendar(), NOON.date(), NOON.date() + timedelta(days=9)).frame,
        resolve_rules([rule("1 h")], {("", "phone", ""): 1}),
    ]
    con = duckdb.connect()
    place = on_polars if engine == "polars" else lambda table: nw.from_native(con.from_arrow(table))
    found = time_tickets(*map(place, tables), as_of=NOON + timedelta(days=9), sla=Sla())
    row = found.select(*OUTCOME, "response_limit_s").collect("pyarrow").to_native().to_pylist()[0]
    assert row == {
        "response_clock_s": 0,
        "response_decided": 0,
        "response_met": None,
        "response_limit_s": None,
    }


def test_a_stated_duration_on_the_clock_of_the_rule_wins_over_the_clock():
    later = NOON + timedelta(days=9)
    stated = {"first_response_at": NOON + 90 * MINUTE, "first_response_calendar_minutes": 50}
    assert outcome(later, **stated) == (3000, 1, 1)
    assert outcome(later, first_response_at=NOON + 90 * MINUTE, first_response_business_minutes=50) == (
        5400,
        1,
        0,
    )
    # it belongs to an answer that came after as_of
    assert outcome(NOON + 80 * MINUTE, **stated) == (4800, 1, 0)


def test_only_a_resolution_without_any_sign_of_an_answer_needed_no_reply():
    tickets = [
        {"resolved_at": NOON + MINUTE},
        {"resolved_at": NOON + MINUTE, "first_response_at": NOON},
        {"resolved_at": NOON + MINUTE, "first_response_business_minutes": 3},
        {},
        {"resolved_at": NOON + 900 * MINUTE},
    ]
    rows = [{"ticket_id": str(n), "opened_at": NOON, **ticket} for n, ticket in enumerate(tickets)]
    assert list(timed(rows, as_of=NOON + 600 * MINUTE)["no_reply"]) == [1, 0, 0, 0, 0]


def test_a_due_time_is_decided_once_it_has_passed():
    due = {"due_at": NOON + 60 * MINUTE}
    tickets = [
        {**due, "resolved_at": NOON + 60 * MINUTE},
        {**due, "resolved_at": NOON + 61 * MINUTE},
        due,
        {"due_at": NOON + 600 * MINUTE, "resolved_at": NOON},
        {"resolved_at": NOON},
    ]
    rows = [{"ticket_id": str(n), "opened_at": NOON, **ticket} for n, ticket in enumerate(tickets)]
    found = timed(rows, as_of=NOON + 90 * MINUTE, sla=Sla(resolution="due_at"))
    assert list(found["resolution_decided"]) == [1, 1, 1, 0, 0]
    assert [None if pd.isna(met) else int(met) for met in found["resolution_met"]] == [1, 0, 0, None, None]


def test_timed_tickets_keep_their_columns_and_gain_the_timed_ones():
    found = timed([{"ticket_id": "1", "opened_at": NOON}], as_of=NOON + MINUTE, engine="duckdb")
    assert list(found) == [*columns.TICKETS, *TIMED]

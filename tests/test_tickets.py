"""Reading: every row accounted for, every time in UTC, no clear name in any file."""

from __future__ import annotations

import json
import tempfile
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from csimprove import columns
from csimprove.errors import SettingsError, TicketDataError
from csimprove.settings import Settings, Source
from csimprove.tickets import Reading, parsing, preset, read_tickets
from csimprove.tickets.files import SourceFile
from csimprove.tickets.mapping import map_fields
from csimprove.tickets.masking import project_key

MINIMAL = {"ticket_id": "id", "opened_at": "opened"}


def project(folder: Path, text: str | bytes, **source: Any) -> Settings:
    data = text if isinstance(text, bytes) else text.encode()
    (folder / "tickets.csv").write_bytes(data)
    source = {"path": "tickets.csv", "columns": MINIMAL} | source
    return Settings.model_validate({"project": "Test", "source": source, "file": folder / "playbook.toml"})


def read(folder: Path, text: str | bytes, **source: Any) -> tuple[Reading, list[dict[str, Any]]]:
    reading = read_tickets(project(folder, text, **source), folder / "out")
    return reading, pq.read_table(folder / "out" / "tickets.parquet").to_pylist()


def values(folder: Path, column: str, texts: list[str], **source: Any) -> tuple[Reading, list[Any]]:
    lines = "".join(f"{place},2024-01-01,{text}\n" for place, text in enumerate(texts))
    mapped = {"columns": MINIMAL | {column: "x"}}
    reading, rows = read(folder, f"id,opened,x\n{lines}", **(mapped | source))
    return reading, [row[column] for row in rows]


def times(folder: Path, texts: list[str], **source: Any) -> list[str]:
    lines = "".join(f"{place},{text}\n" for place, text in enumerate(texts))
    _, rows = read(folder, f"id,opened\n{lines}", **source)
    return [f"{row['opened_at']:%Y-%m-%d %H:%M:%S}" for row in rows]


def message(folder: Path, text: str | bytes, **source: Any) -> str:
    with pytest.raises(TicketDataError) as caught:
        read(folder, text, **source)
    return str(caught.value)


# --- what is written ---


def test_the_written_table_has_every_canonical_column_in_order_and_its_exact_type(tmp_path: Path) -> None:
    read(tmp_path, "id,opened\n1,2024-01-01 10:00:00\n")
    names = {
        "VARCHAR": "string",
        "TIMESTAMP": "timestamp[us]",
        "BIGINT": "int64",
        "SMALLINT": "int16",
        "BOOLEAN": "bool",
    }
    for file, types in (("tickets", columns.TICKETS), ("pauses", columns.PAUSES)):
        schema = pq.read_schema(tmp_path / "out" / f"{file}.parquet")
        assert {field.name: str(field.type) for field in schema} == {
            name: names[kind] for name, kind in types.items()
        }
        assert schema.names == list(types)
    tickets = pq.ParquetFile(tmp_path / "out" / "tickets.parquet").metadata
    assert tickets.row_group(0).column(0).compression == "ZSTD"


def test_only_the_three_results_stay_in_the_folder(tmp_path: Path) -> None:
    read(tmp_path, "id,opened\n1,2024-01-01\n".encode("utf-16"))
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "pauses.parquet",
        "reading.json",
        "tickets.parquet",
    ]


def test_a_reading_survives_json(tmp_path: Path) -> None:
    reading, _ = read(tmp_path, "id,opened\n1,2024-01-01\n2,never\n")
    stored = json.loads((tmp_path / "out" / "reading.json").read_text(encoding="utf-8"))
    assert Reading.from_dict(stored) == reading
    assert reading.first_opened == datetime(2024, 1, 1, tzinfo=UTC)


def test_row_is_the_line_of_the_record_with_malformed_lines_counted(tmp_path: Path) -> None:
    text = "id,opened\na,2024-01-01\nb\nc,2024-01-01,1\nd,2024-01-01\ne\nf,2024-01-01\n"
    reading, rows = read(tmp_path, text)
    assert [(row["ticket_id"], row["row"]) for row in rows] == [("a", 2), ("d", 5), ("f", 7)]
    assert (reading.rows, reading.used, reading.rejected_rows) == (6, 3, 3)
    assert [str(reject) for reject in reading.rejects] == [
        "file, row 3: has 1 values where the heading has 2. The row is left out.",
        "file, row 4: has 3 values where the heading has 2. The row is left out.",
        "file, row 6: has 1 values where the heading has 2. The row is left out.",
    ]


# --- the file ---


@pytest.mark.parametrize(
    ("encoding", "found"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8"), ("utf-16", "utf-16"), ("gb18030", "gb18030")],
)
def test_encodings_are_found(tmp_path: Path, encoding: str, found: str) -> None:
    text = "编号,时间,渠道\n1,2024-01-01 10:00:00,微信\n".encode(encoding)
    mapped = {"ticket_id": "编号", "opened_at": "时间", "channel": "渠道"}
    reading, rows = read(tmp_path, text, columns=mapped)
    assert (reading.encoding, rows[0]["channel"]) == (found, "微信")


def test_an_encoding_that_is_given_is_used(tmp_path: Path) -> None:
    text = "id,opened,x\n1,2024-01-01,é à\n".encode("cp1252")
    reading, rows = read(tmp_path, text, columns=MINIMAL | {"team": "x"}, encoding="cp1252")
    assert (reading.encoding, rows[0]["team"]) == ("cp1252", "é à")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_one_that_finds_the_headings(tmp_path: Path, delimiter: str) -> None:
    text = f'id{delimiter}opened{delimiter}"a,b;c"\n1{delimiter}2024-01-01{delimiter}2\n'
    assert read(tmp_path, text)[0].delimiter == delimiter


def test_a_heading_full_of_another_delimiter_does_not_mislead(tmp_path: Path) -> None:
    assert read(tmp_path, "id;opened;a,b,c,d,e\n1;2024-01-01;2\n")[0].delimiter == ";"


def test_blank_lines_are_flagged_with_or_without_a_last_line_end(tmp_path: Path) -> None:
    for end in ("", "\n"):
        reading, _ = read(tmp_path, f"id,opened\n1,2024-01-01\n\n2,2024-01-01{end}")
        assert (reading.rows, reading.flags) == (2, {"continued_lines": 1})


def test_headings_match_without_case_and_spaces_but_exact_ones_first(tmp_path: Path) -> None:
    text = "ID,id, Opened  At\nwrong,right,2024-01-01\n"
    reading, rows = read(tmp_path, text, columns={"ticket_id": "id", "opened_at": "opened at"})
    assert rows[0]["ticket_id"] == "right"
    assert reading.headings == {"ticket_id": "id", "opened_at": "Opened  At"}


def test_a_repeated_heading_is_flagged_and_the_first_is_used(tmp_path: Path) -> None:
    reading, rows = read(tmp_path, "id,opened,id\n1,2024-01-01,2\n")
    assert (rows[0]["ticket_id"], reading.flags) == ("1", {"repeated_heading": 1})


def test_a_path_with_wildcards_is_one_file(tmp_path: Path) -> None:
    settings = project(tmp_path, "id,opened\n1,2024-01-01\n", path="t[1]*.csv")
    (tmp_path / "tickets.csv").rename(tmp_path / "t[1]*.csv")
    (tmp_path / "t1.csv").write_text("id,opened\n9,2024-01-01\n8,2024-01-01\n")
    assert read_tickets(settings, tmp_path / "out").rows == 1


def test_an_open_quote_is_reported_with_the_lines_it_swallowed(tmp_path: Path) -> None:
    reading, _ = read(tmp_path, 'id,opened\n1,2024-01-01\n2,"2024-01-01\n3,2024-01-01\n4,2024-01-01\n')
    assert (reading.rows, reading.used, reading.rejected_rows) == (2, 1, 1)
    assert reading.flags == {"continued_lines": 2}
    assert str(reading.rejects[0]) == (
        "file, row 3: holds a quote that is not closed or not doubled. The row is left out."
    )


def test_lines_swallowed_into_a_label_do_not_become_a_label(tmp_path: Path) -> None:
    text = 'id,opened,x\n1,2024-01-01,"A\n2,2024-01-01,B"\n'
    reading, rows = read(tmp_path, text, columns=MINIMAL | {"team": "x"})
    assert rows[0]["team"] is None
    assert str(reading.rejects[0]) == (
        "column 'x', row 2: must be one line; the quote before it may not be closed. It counts as no value. "
        "Value: 'A…B'."
    )


# --- values ---


def test_ids_stay_text(tmp_path: Path) -> None:
    text = "id,opened\n00123,2024-01-01\n90071992547409931,2024-01-01\n12345678901234567\t,2024-01-01\n"
    _, rows = read(tmp_path, text)
    assert [row["ticket_id"] for row in rows] == ["00123", "90071992547409931", "12345678901234567"]


def test_missing_texts_and_renamed_values(tmp_path: Path) -> None:
    _, got = values(
        tmp_path,
        "channel",
        ["Mail", "-", "", "QQ", "n/a"],
        missing=("-", "n/a"),
        values={"channel": {"QQ": "qq"}},
    )
    assert got == ["Mail", None, None, "qq", None]


def test_booleans_in_both_languages(tmp_path: Path) -> None:
    reading, got = values(tmp_path, "is_complaint", ["Yes", "no", "TRUE", "0", "是", "否", "", "maybe"])
    assert got == [True, False, True, False, True, False, None, None]
    assert str(reading.rejects[0]) == (
        "column 'x', row 9: must be yes or no, true or false, 1 or 0, 是 or 否. It counts as no value. "
        "Value: 'm…e'."
    )


def test_counts_are_whole_numbers_within_bounds(tmp_path: Path) -> None:
    reading, got = values(tmp_path, "csat", ["1", "5.0", "4.5", "6", "0", "nan", "five"])
    assert got == [1, 5, None, None, None, None, None]
    assert (reading.reject_count, reading.rejected_rows) == (5, 0)
    assert str(reading.rejects[0]) == (
        "column 'x', row 4: must be a whole number from 1 to 5. It counts as no value. Value: '4.5'."
    )


@pytest.mark.parametrize(
    ("column", "unit", "got"),
    [
        ("resolution_calendar_minutes", None, [90, 0, 2, None, None]),
        ("resolution_calendar_minutes", "hours", [5400, 0, 90, None, None]),
        ("resolution_calendar_minutes", "seconds", [2, 0, 0, None, None]),
        ("wait_seconds", None, [90, 0, 2, None, None]),
        ("wait_seconds", "minutes", [5400, 0, 90, None, None]),
    ],
)
def test_durations_are_read_in_their_unit(
    tmp_path: Path, column: str, unit: str | None, got: list[int]
) -> None:
    units = {"units": {column: unit}} if unit else {}
    assert values(tmp_path, column, ["90", "0", "1.5", "-1", "inf"], **units)[1] == got


# --- times ---


def test_iso_forms_are_read_side_by_side_in_whole_seconds(tmp_path: Path) -> None:
    texts = [
        "2024-05-01 10:00:00",
        "2024-05-01T10:00:00.900",
        "2024/5/1 10:00",
        "2024-05-01",
        "2024-05-01T10:00",
    ]
    assert times(tmp_path, texts) == [
        "2024-05-01 10:00:00",
        "2024-05-01 10:00:00",
        "2024-05-01 10:00:00",
        "2024-05-01 00:00:00",
        "2024-05-01 10:00:00",
    ]


@pytest.mark.parametrize("copies", [1, 9])
def test_an_offset_in_the_text_wins_over_the_zone(tmp_path: Path, copies: int) -> None:
    texts = ["2024-05-01T10:00:00+02:00", "2024-05-01 10:00:00Z", "2024-05-01 10:00 -0330"] * copies
    plain = ["2024-05-01 10:00:00"] * 4
    got = ["2024-05-01 08:00:00", "2024-05-01 10:00:00", "2024-05-01 13:30:00"] * copies
    assert times(tmp_path, texts + plain, zone="Asia/Shanghai") == got + ["2024-05-01 02:00:00"] * 4


def test_a_suffix_that_no_format_names_is_rejected_not_ignored(tmp_path: Path) -> None:
    reading, _ = read(tmp_path, "id,opened\n1,2024-05-01 03:04 PM\n2,2024-05-01 03:04\n3,2024-05-01 CET\n")
    assert (reading.used, reading.rejected_rows) == (1, 2)
    assert str(reading.rejects[0]) == (
        "column 'opened', row 2: must be a time between 1990 and today, written like 2025-03-31 14:05:00. "
        "The row is left out. Value: '2024-05-01 03:04 PM'."
    )


def test_given_formats_are_tried_in_their_order(tmp_path: Path) -> None:
    texts = ["05/03/2016", "25/03/2016"]
    assert times(tmp_path, texts, formats=("%d/%m/%Y", "%m/%d/%Y")) == [
        "2016-03-05 00:00:00",
        "2016-03-25 00:00:00",
    ]
    assert times(tmp_path, ["05/03/2016 03:04:00 PM"], formats=("%m/%d/%Y %I:%M:%S %p",)) == [
        "2016-05-03 15:04:00"
    ]
    assert times(tmp_path, ["1/May/16 3:04 PM +0800"], formats=("%d/%b/%y %I:%M %p %z",)) == [
        "2016-05-01 07:04:00"
    ]


def test_times_before_1990_and_in_the_future_are_rejected_but_not_a_due_time(tmp_path: Path) -> None:
    reading, _ = read(tmp_path, "id,opened\n1,5/3/2016\n2,5/3/16\n3,5/3/2098\n", formats=("%m/%d/%Y",))
    assert (reading.used, reading.rejected_rows) == (1, 2)
    text = "id,opened,due\n1,2024-05-01,2098-01-01\n"
    reading, rows = read(tmp_path, text, columns=MINIMAL | {"due_at": "due"})
    assert rows[0]["due_at"] == datetime(2098, 1, 1)
    assert reading.latest == datetime(2024, 5, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "local", "utc", "flags"),
    [
        ("Asia/Shanghai", "2024-05-01 08:00", "2024-05-01 00:00:00", {}),
        ("Asia/Shanghai", "1990-07-01 08:00", "1990-06-30 23:00:00", {}),
        ("America/New_York", "2024-07-01 08:00", "2024-07-01 12:00:00", {}),
        ("America/New_York", "2024-11-03 01:30", "2024-11-03 06:30:00", {"ambiguous_local_time": 1}),
        ("America/New_York", "2024-03-10 02:30", "2024-03-10 07:30:00", {"missing_local_time": 1}),
        ("Australia/Lord_Howe", "2024-04-07 01:45", "2024-04-06 15:15:00", {"ambiguous_local_time": 1}),
    ],
)
def test_local_times_become_utc_and_odd_hours_are_flagged(
    tmp_path: Path, zone: str, local: str, utc: str, flags: dict[str, int]
) -> None:
    assert times(tmp_path, [local], zone=zone) == [utc]
    assert read(tmp_path, f"id,opened\n1,{local}\n", zone=zone)[0].flags == flags


def test_events_before_the_opening_are_flagged_and_kept(tmp_path: Path) -> None:
    text = "id,opened,answered,solved\n1,2024-05-01 10:00,2024-05-01 09:59,2024-05-01 09:58\n"
    mapped = MINIMAL | {"first_response_at": "answered", "resolved_at": "solved"}
    reading, _ = read(tmp_path, text, columns=mapped)
    assert (reading.used, reading.flags) == (
        1,
        {"answered_before_opened": 1, "resolved_before_opened": 1, "resolved_before_answered": 1},
    )


# --- rows ---


def test_of_rows_with_one_id_the_one_updated_last_wins(tmp_path: Path) -> None:
    lines = [
        "1,2024-01-01,2024-01-03,new",
        "1,2024-01-01,2024-01-02,old",
        "1,2024-01-01,,none",
        "2,2024-01-01,,b",
    ]
    text = "\n".join(["id,opened,u,x", *lines])
    reading, rows = read(tmp_path, text, columns=MINIMAL | {"updated_at": "u", "team": "x"})
    assert [row["team"] for row in rows] == ["new", "b"]
    assert (reading.rows, reading.used, reading.excluded) == (4, 2, {"duplicate_id": 2})


def test_without_updates_the_last_row_of_an_id_wins(tmp_path: Path) -> None:
    reading, rows = read(tmp_path, "id,opened\n1,2024-01-01\n1,2024-01-02\n")
    assert ([row["row"] for row in rows], reading.excluded) == ([3], {"duplicate_id": 1})


def test_rows_left_out_are_counted_under_the_first_rule_that_matches(tmp_path: Path) -> None:
    text = "id,opened,x,y\n1,2024-01-01,a,p\n2,2024-01-01,b,p\n3,2024-01-01,b,q\n4,2024-01-01,,q\n5,,a,p\n"
    rules = {
        "first": {"channel": ["A"]},
        "both": {"channel": ["A", "b"], "team": ["p"]},
        "unused": {"team": ["z"]},
    }
    mapped = MINIMAL | {"channel": "x", "team": "y"}
    reading, rows = read(tmp_path, text, columns=mapped, exclude=rules, values={"channel": {"a": "A"}})
    assert [row["ticket_id"] for row in rows] == ["3", "4"]
    assert reading.excluded == {"first": 1, "both": 1, "unused": 0}
    assert (reading.rows, reading.rejected_rows) == (5, 1)
    assert str(reading.rejects[0]) == "column 'opened', row 6: is missing. The row is left out."


def test_the_next_contact_is_the_first_one_strictly_after_by_customer_and_category(tmp_path: Path) -> None:
    text = (
        "id,opened,who,x\n1,2024-01-01 10:00,A,p\n2,2024-01-01 10:00,A,p\n3,2024-01-02 10:00,A,p\n"
        "4,2024-01-01 12:00,A,q\n5,2024-01-03 10:00,B,p\n6,2024-01-01 10:00,,p\n7,2024-01-02 10:00,,p\n"
        "8,2024-01-05,A,\n9,2024-01-06,A,\n"
    )
    mapped = MINIMAL | {"customer": "who", "category": "x"}
    reading, rows = read(tmp_path, text, columns=mapped)
    third = datetime(2024, 1, 2, 10)
    got = [row["recontact_at"] for row in rows]
    assert got == [third, third, None, None, None, None, None, datetime(2024, 1, 6), None]
    assert reading.columns == ("ticket_id", "opened_at", "recontact_at", "customer_key", "category")


# --- pauses ---


def pauses(folder: Path, lines: list[str]) -> tuple[Reading, list[tuple[str, str, str | None]]]:
    (folder / "pauses.csv").write_text("ticket_id;start_at;end_at\n" + "\n".join(lines) + "\n")
    text = "id,opened,team,x\n1,2024-01-01 08:00,t,phone\n2,2024-01-01 08:00,t,mail\n"
    reading, _ = read(
        folder, text, columns=MINIMAL | {"channel": "x"}, pauses="pauses.csv", zone="Asia/Shanghai"
    )
    rows = pq.read_table(folder / "out" / "pauses.parquet").to_pylist()
    assert all(row["opened_at"] == datetime(2024, 1, 1) for row in rows)
    assert all(row["channel"] == {"1": "phone", "2": "mail"}[row["ticket_id"]] for row in rows)
    short = [(row["ticket_id"], row["start_at"], row["end_at"]) for row in rows]
    return reading, [(key, f"{start:%H:%M}", end and f"{end:%H:%M}") for key, start, end in short]


def test_pauses_become_disjoint_and_carry_their_ticket(tmp_path: Path) -> None:
    day = "2024-01-01"
    lines = [
        f"1;{day} 09:00;{day} 10:00",
        f"1;{day} 09:00;{day} 10:00",
        f"1;{day} 09:30;{day} 11:00",
        f"1;{day} 09:40;{day} 09:50",
        f"1;{day} 12:00;",
        f"1;{day} 13:00;{day} 14:00",
        f"2;{day} 10:00;{day} 10:30",
    ]
    reading, got = pauses(tmp_path, lines)
    assert got == [
        ("1", "01:00", "02:00"),
        ("1", "02:00", "03:00"),
        ("1", "04:00", None),
        ("2", "02:00", "02:30"),
    ]
    assert reading.flags == {}


def test_pauses_that_cannot_be_used_are_counted(tmp_path: Path) -> None:
    day = "2024-01-01"
    lines = [
        f"1;{day} 10:00;{day} 09:00",
        f"9;{day} 10:00;{day} 11:00",
        f"1;{day} 10:00;soon",
        f"1;;{day} 10:00",
    ]
    reading, got = pauses(tmp_path, lines)
    assert got == []
    assert reading.flags == {"rejected_pause": 2, "reversed_pause": 1, "pause_without_ticket": 1}
    assert str(reading.rejects[0]) == (
        "column 'pauses: end_at', row 4: must be a time between 1990 and today, written like "
        "2025-03-31 14:05:00. It counts as no value. Value: 's…n'."
    )


# --- the statement ---


def test_the_statement_keeps_the_order_of_the_file(tmp_path: Path) -> None:
    """A join in the plan mixes up the rows of files with some hundred thousand lines; too many for a test."""
    mapped = {
        "ticket_id": "a",
        "opened_at": "b",
        "is_complaint": "c",
        "channel": "d",
        "customer": "e",
        "csat": "f",
    }
    many = tuple(f"text {n}" for n in range(100))
    source = Source(path="x.csv", columns=mapped, missing=many, exclude={"rule": {"channel": many}})
    file = SourceFile("x.csv", tmp_path / "x.csv", "", "utf-8", ",", tuple("abcdef"), 2)
    file.text.write_text("a,b,c,d,e,f\n1,2024-01-01,1,1,1,1\n")
    fields = map_fields(source, file)
    how = {"opened_at": parsing.Times(parsing.ISO_FORMATS, parsing.ISO_FORMATS, "")}
    parsed = parsing.parse(fields, how, zone="America/New_York", exclude=source.exclude, key="k")
    texts = parsing.texts(fields, many, file=file, options="store_rejects = true")
    with duckdb.connect(config={"threads": 2}) as con:
        plan = con.execute(f"EXPLAIN CREATE TABLE t AS {texts}, {parsed}").fetchall()[0][1].upper()
    assert "JOIN" not in plan
    assert "BATCH" in plan


# --- people ---


def test_people_become_keyed_pseudonyms_that_stay_the_same(tmp_path: Path) -> None:
    text = "id,opened,who,by\n1,2024-01-01,张小三,王芳\n2,2024-01-02,张小三,王芳\n"
    mapped = MINIMAL | {"customer": "who", "agent": "by"}
    _, rows = read(tmp_path, text, columns=mapped)
    again = read(tmp_path, text, columns=mapped)[1]
    key = tmp_path / ".csimprove.key"
    assert rows == again
    assert rows[0]["customer_key"] == rows[1]["customer_key"] > 0
    assert len(rows[0]["agent"]) == len("agent-") + 8
    assert key.stat().st_mode & 0o777 == 0o600
    key.unlink()
    assert read(tmp_path, text, columns=mapped)[1][0]["customer_key"] != rows[0]["customer_key"]


def test_a_key_that_another_process_is_just_writing_is_waited_for(tmp_path: Path) -> None:
    key = tmp_path / ".csimprove.key"
    key.touch()
    writer = threading.Timer(0.1, key.write_text, ["ab" * 32])
    writer.start()
    assert project_key(tmp_path) == "ab" * 32
    writer.join()


def test_a_damaged_key_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / ".csimprove.key").write_text("short")
    with pytest.raises(SettingsError) as caught:
        read(tmp_path, "id,opened\n1,2024-01-01\n")
    assert str(caught.value) == (
        f"{tmp_path}/.csimprove.key must hold 64 hexadecimal digits. "
        "Restore it; deleting it changes all pseudonyms."
    )


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("call 138-0013-8000 back", "call … back"),
        ("+1 (555) 123-4567", "…"),
        ("身份证11010519491231002X", "身份证…"),
        ("6222021234567890123", "…"),
        ("ann@example.com / refund", "… / refund"),
        ("Model 2024-01, 12345 hotline, 1,000", "Model 2024-01, 12345 hotline, 1,000"),
    ],
)
def test_contacts_in_a_label_are_masked(tmp_path: Path, text: str, kept: str) -> None:
    _, rows = read(tmp_path, f'id,opened,x\n1,2024-01-01,"{text}"\n', columns=MINIMAL | {"category": "x"})
    assert rows[0]["category"] == kept


def test_the_people_of_a_row_are_hidden_in_its_labels(tmp_path: Path) -> None:
    text = (
        "id,opened,who,by,person,group,kind\n"
        "1,2024-01-01,Ann Lee,Bo Chen,-,Bo Chen,Refund Ann Lee by Bo Chen\n"
        "2,2024-01-01,张小明,王芳,李娜,华东,投诉张小明（王芳转李娜）\n"
        "3,2024-01-01,Support,A1001,Anna,Support East,Support A1001 Anna\n"
    )
    mapped = MINIMAL | {"customer": "who", "agent": "by", "team": "group", "category": "kind"}
    reading, rows = read(tmp_path, text, columns=mapped, names=["person"])
    assert [row["category"] for row in rows] == ["Refund … by …", "投诉…（…转…）", "Support A1001 Anna"]
    # a label that is the agent as a whole is a group by the settings' own word; one word is no full name
    assert [row["team"] for row in rows] == ["Bo Chen", "华东", "Support East"]
    assert "person" not in str(reading.to_dict())
    assert message(tmp_path, text, columns=mapped, names=["Persson"]) == (
        "tickets.csv cannot be used:\n  column 'Persson': is missing (did you mean 'person'? `source.names` "
        "needs it). Correct `names` under [source]."
    )


def test_a_first_row_in_place_of_headings_is_not_quoted_with_its_contacts(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        read(tmp_path, "1,138 0013 8000,ann@example.com\n", columns={})
    assert "has the headings 1, …, …" in str(caught.value)


NAMES = ("Annabel Lee", "欧阳小明", "Zoë-Quill")
PHONES = (
    "138-0013-8000",
    "13800138000",
    "+1 (555) 123-4567",
    "11010519491231002X",
    "6222 0212 3456 7890 123",
    "zoe.q+1@example.com",
)
DAMAGE = st.sampled_from(['"', ",", "", "\n", "x", "\t", "'", "%", "\\"])


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    cuts=st.lists(st.tuples(st.integers(0, 7), st.integers(0, 60), DAMAGE), max_size=6),
    swaps=st.lists(st.integers(0, 7), max_size=2),
)
def test_whatever_the_damage_every_row_is_accounted_for_and_nobody_is_named(
    cuts: list[tuple[int, int, str]], swaps: list[int]
) -> None:
    rows = [[f"T{n}", "2024-01-01 10:00", NAMES[n % 3], PHONES[n % 6], "5", "yes"] for n in range(8)]
    for n in swaps:  # a name and a phone number in columns of times and numbers
        rows[n][1], rows[n][4] = rows[n][2], rows[n][3]
    lines = [",".join(row) for row in rows]
    for n, place, text in cuts[:1] if any(text == "," for *_, text in cuts) else cuts:
        lines[n] = lines[n][:place] + text + lines[n][place + (text != "\n") :]
    text = "id,opened,customer,agent,score,complaint\n" + "\n".join(lines) + "\n"
    mapped = MINIMAL | {
        "customer": "customer",
        "agent": "agent",
        "csat": "score",
        "is_complaint": "complaint",
    }
    rule = {"some": {"is_complaint": ["yes"], "csat": ["4"]}}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            reading, tickets = read(folder, text, columns=mapped, exclude=rule)
        except TicketDataError:
            return
        written = str(tickets) + (folder / "out" / "reading.json").read_text(encoding="utf-8")
    assert reading.rows == reading.used + reading.rejected_rows + sum(reading.excluded.values())
    assert reading.used == len(tickets)
    if '"' not in text:
        assert reading.rows == len([line for line in text.split("\n") if line]) - 1
    assert not [secret for secret in (*NAMES, *PHONES) if secret in written]


# --- what stops the reading ---


def test_a_missing_file(tmp_path: Path) -> None:
    assert message(tmp_path, "", path="gone.csv") == (
        "gone.csv cannot be used:\n"
        f"  file: must be a file. Correct `path` under [source]: there is no file {tmp_path}/gone.csv."
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty. Export the tickets again."),
        (b"\n\n", "has no heading: its first line is blank. The first line must name the columns."),
        (
            b"id,opened\n",
            "has a heading but no rows. Export the tickets again, or correct `path` under [source].",
        ),
        (b"PK\x03\x04rest", "is a ZIP archive or a damaged workbook. Save it as CSV (UTF-8)."),
        (
            b"id,opened\n1,\x00\x01\n",
            "must be text in UTF-8 or GB18030. Save it as UTF-8, or set `encoding` under [source], "
            'such as "cp1252".',
        ),
        (
            b"id,opened\n1,\xff\xff\n",
            "must be text in UTF-8 or GB18030. Save it as UTF-8, or set `encoding` under [source], "
            'such as "cp1252".',
        ),
    ],
    ids=["empty", "blank", "heading only", "workbook", "binary", "undecodable"],
)
def test_a_file_that_is_no_table(tmp_path: Path, content: bytes, reason: str) -> None:
    assert message(tmp_path, content) == f"tickets.csv cannot be used:\n  file: {reason}"


def test_a_wrong_delimiter(tmp_path: Path) -> None:
    assert message(tmp_path, "id;opened\n1;2024-01-01\n", delimiter=",") == (
        "tickets.csv cannot be used:\n"
        "  file: has one column when split at ',': id;opened. Set `delimiter` under [source]."
    )


def test_all_missing_columns_are_listed_with_near_misses(tmp_path: Path) -> None:
    mapped = {"ticket_id": "Ticket", "opened_at": "Created at", "team": "Squad"}
    assert message(tmp_path, "Ticket ID,Created,x\n1,2024-01-01,2\n", columns=mapped) == (
        "tickets.csv cannot be used:\n"
        "  column 'Ticket': is missing (did you mean 'Ticket ID'? `ticket_id` needs it). "
        "Correct [source.columns].\n"
        "  column 'Created at': is missing (did you mean 'Created'? `opened_at` needs it). "
        "Correct [source.columns].\n"
        "  column 'Squad': is missing (`team` needs it). Correct [source.columns]."
    )


def test_a_heading_that_a_preset_cannot_do_without(tmp_path: Path) -> None:
    assert message(tmp_path, "Id,Created\n1,2024-01-01\n", preset="zendesk", columns={}) == (
        "tickets.csv cannot be used:\n"
        "  column 'Created at': is missing (did you mean 'Created'? `opened_at` needs it). "
        "Correct [source.columns]."
    )


def test_times_that_nobody_can_read(tmp_path: Path) -> None:
    lines = "".join(f"{n},{n}.5.2024 10h\n" for n in range(1, 13))
    assert message(tmp_path, f"id,opened\n{lines}") == (
        "tickets.csv cannot be used:\n"
        "  column 'opened': none of 12 values is a time between 1990 and today, "
        "written like 2025-03-31 14:05:00, for example '1…h' (row 2), '2…h' (row 3), '3…h' (row 4). "
        'Set `formats` under [source], such as ["%d.%m.%Y %H:%M"].'
    )


def test_no_ticket_left(tmp_path: Path) -> None:
    text = "id,opened,x\n,2024-01-01,a\n2,2024-01-01,a\n"
    rules = {"all": {"team": ["a"]}}
    assert message(tmp_path, text, columns=MINIMAL | {"team": "x"}, exclude=rules) == (
        "tickets.csv cannot be used:\n"
        "  file: holds no ticket: 1 rows are rejected, 1 left out by a rule.\n"
        "  column 'id', row 2: is missing. The row is left out."
    )


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            {"preset": "zendsk"},
            "`source.preset` must be one of chinese, freshdesk, hubspot, intercom, jira, salesforce, "
            "servicenow, zendesk, not 'zendsk'. Did you mean zendesk or freshdesk?",
        ),
        (
            {"columns": {"ticket_id": "id"}},
            "`source.columns` must map opened_at, or `source.preset` must name a preset. "
            "tickets.csv has the headings id, opened.",
        ),
        (
            {"formats": ("%d.%m.%Y %Z",)},
            '`source.formats` must hold strptime formats such as "%d.%m.%Y %H:%M", not "%d.%m.%Y %Z". '
            "Names of zones cannot be read: set `zone`, or %z for an offset such as +08:00.",
        ),
        (
            {"exclude": {"spam": {"team": ["x"]}}},
            "`source.exclude.spam` must look at a column that is mapped, not team. "
            "Map it under [source.columns].",
        ),
    ],
    ids=["preset", "unmapped", "format", "rule"],
)
def test_settings_that_do_not_fit(tmp_path: Path, source: dict[str, Any], expected: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read(tmp_path, "id,opened\n1,2024-01-01\n", **source)
    assert str(caught.value) == expected


# --- the preset ---

ZENDESK = """Id,Requester id,Via,Created at,Solved at,Satisfaction Score,Reopens,Replies
1,7,Mail,2023-04-08 20:52:00,1900-01-01 00:00:00,Offered,0,1
2,7,Mail,2023-04-09 20:52:00,2023-04-10 00:00:00,Good,1,2
3,8,Web,2023-04-09 20:52:00,2023-04-10 00:00:00,Not Offered,0,1
4,8,Web,2023-04-09 20:53:00,2023-04-10 00:00:00,3,0,1
5,9,-,2023-04-09 20:53:00,2023-04-10 00:00:00,,0,1
"""


def test_the_zendesk_preset_reads_scores_and_sentinels(tmp_path: Path) -> None:
    reading, rows = read(tmp_path, ZENDESK, preset="zendesk", columns={}, zone="Asia/Kolkata")
    assert [(row["csat"], row["csat_offered"]) for row in rows] == [
        (None, True),
        (5, True),
        (None, False),
        (3, True),
        (None, None),
    ]
    assert [row["resolved_at"] for row in rows] == [None] + [datetime(2023, 4, 9, 18, 30)] * 4
    assert [row["channel"] for row in rows] == ["Mail", "Mail", "Web", "Web", None]
    assert reading.headings["customer_key"] == "Requester id"
    assert "team" not in reading.columns


def test_the_settings_win_over_the_preset(tmp_path: Path) -> None:
    source = {"columns": {"channel": "Reopens"}, "values": {"csat": {"Good": "4"}}}
    _, rows = read(tmp_path, ZENDESK, preset="zendesk", **source)
    assert (rows[1]["csat"], rows[1]["channel"]) == (4, "1")


def test_the_preset_names_the_definitions_that_its_columns_allow() -> None:
    assert preset("zendesk")["metrics"] == {"first_contact_resolution": "one_touch", "reopen_rate": "ever"}

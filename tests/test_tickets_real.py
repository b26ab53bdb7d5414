"""Real and third-party exports, each with settings of at most 25 lines, and the figures known of them."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from statistics import mean, median
from typing import Any

import pyarrow.parquet as pq
import pytest

from csimprove import playbook
from csimprove.metrics import load_measures
from csimprove.settings import read_settings
from csimprove.tickets import Reading, read_tickets

HERE = Path(__file__).resolve().parent
SETTINGS = sorted((HERE / "settings").glob("*.toml"))
SHARED = HERE.parents[1] / "shared" / "data"
needs_shared = pytest.mark.skipif(
    not SHARED.is_dir(), reason="the real data files are not part of the project"
)


@pytest.mark.parametrize("path", SETTINGS, ids=lambda path: path.stem)
def test_settings_of_a_real_file_are_short_and_valid(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 25
    read_settings(path)


@needs_shared
@pytest.mark.slow
@pytest.mark.parametrize("path", SETTINGS, ids=lambda path: path.stem)
def test_the_playbook_runs_on_every_real_file(path: Path, tmp_path: Path) -> None:
    text = path.read_text(encoding="utf-8").replace("../../../shared/data", SHARED.as_posix())
    (tmp_path / "playbook.toml").write_text(text, encoding="utf-8")
    shutil.copytree(path.parent / "causes", tmp_path / "causes")
    index = playbook.run(tmp_path / "playbook.toml", quiet=True)
    manifest = json.loads((index.parent / "manifest.json").read_text(encoding="utf-8"))
    found = {one["name"]: one["status"] for one in manifest["notebooks"]}
    assert found == dict.fromkeys(("01_baseline", "02_root_causes", "07_monitoring", "10_pdca"), "ok")


def share(part: float, whole: float) -> float:
    return round(100 * part / whole, 2)


def real(name: str, folder: Path, **changed: Any) -> tuple[Reading, list[dict[str, Any]]]:
    settings = read_settings(HERE / "settings" / f"{name}.toml")
    path = settings.path(settings.source.path)
    source = settings.source.model_copy(update={"path": str(path)} | changed)
    settings = settings.model_copy(update={"source": source, "file": folder / "playbook.toml"})
    reading = read_tickets(settings, folder / "out")
    return reading, pq.read_table(folder / "out" / "tickets.parquet").to_pylist()


@needs_shared
def test_a_real_zendesk_export(tmp_path: Path) -> None:
    reading, rows = real("zendesk", tmp_path)
    assert (reading.rows, reading.used, reading.reject_count, reading.excluded) == (8223, 8223, 0, {})
    assert sum(row["resolved_at"] is None for row in rows) == 860
    rated = [row["csat"] for row in rows if row["csat"] is not None]
    assert (len(rated), round(100 * sum(score >= 4 for score in rated) / len(rated), 2)) == (407, 88.94)
    assert sum(bool(row["csat_offered"]) for row in rows) - len(rated) == 2251
    assert sum(row["category"] is None for row in rows) == 6922
    assert reading.flags == {
        "opened_twice": 897,
        "opened_in_bulk": 810,
        "dominant_customer": 944,  # about one ticket in eight
        "not_inbound": 1002 + 439 + 170,
    }
    assert [(note.code, note.column, note.text, note.n) for note in reading.notes] == [
        ("no_value", "category", "-", 6922),
        ("no_value", "csat", "Offered", 2251),
        ("no_value", "resolved_at", "1900-01-01 00:00:00", 860),
        ("not_read", "Resolution time", "hours", 8223),
    ]
    assert round(mean(rated), 3) == 4.354
    named = Counter(row["category"] for row in rows if row["category"]).most_common(3)
    assert named == [("Claims", 457), ("Is my treatment covered (IMTC)", 354), ("HR Queries", 133)]
    solved = [row for row in rows if row["resolved_at"] is not None]
    once = [row for row in solved if row["replies"] == 1 and row["reopens"] == 0]
    assert (len(solved), share(len(once), len(solved))) == (7363, 28.37)
    assert share(sum(row["reopens"] > 0 for row in rows), len(rows)) == 16.50
    replies: dict[str, list[int]] = {}
    for row in rows:
        if row["first_response_business_minutes"] is not None:
            replies.setdefault(row["team"], []).append(row["first_response_business_minutes"])
    assert {team: median(minutes) for team, minutes in replies.items()} == {
        "Support": 121,
        "Onboardings": 604,
        "Reimbursement Claims": 953.5,
        "Endorsements": 2261,
    }
    assert reading.latest == datetime(2023, 6, 19, 3, 17, tzinfo=UTC)


@needs_shared
def test_real_requests_with_due_times(tmp_path: Path) -> None:
    reading, rows = real("boston", tmp_path)
    assert (reading.rows, reading.used, reading.reject_count) == (10332, 10332, 0)
    with_due = [row for row in rows if row["due_at"] is not None]
    closed = [row for row in with_due if row["resolved_at"] is not None]
    on_time = sum(row["resolved_at"] <= row["due_at"] for row in closed)
    assert (len(with_due), round(100 * on_time / len(closed), 2)) == (8357, 77.99)
    assert reading.flags == {"resolved_before_opened": 56, "resolved_in_bulk": 20}


@needs_shared
def test_a_real_day_of_a_call_centre(tmp_path: Path) -> None:
    reading, rows = real("bank_calls", tmp_path)
    assert (reading.rows, reading.used, reading.reject_count, reading.delimiter) == (1567, 1551, 0, "\t")
    assert reading.excluded == {"phantom": 16}  # all 1567 ids differ: no duplicate
    answered = [row for row in rows if row["status"] == "AGENT"]
    assert (len(answered), share(len(rows) - len(answered), len(rows))) == (1354, 12.70)
    queued = [row["wait_seconds"] for row in rows if row["wait_seconds"]]
    assert (len(queued), round(mean(queued), 2)) == (837, 66.27)
    fast = sum(row["wait_seconds"] <= 20 for row in answered)
    assert (share(fast, len(answered)), share(fast, len(rows))) == (62.19, 54.29)


@needs_shared
def test_a_real_workbook_of_calls(tmp_path: Path) -> None:
    reading, rows = real("calls_phone", tmp_path)
    assert (reading.rows, reading.used, reading.reject_count) == (5000, 5000, 0)
    answered = [row["wait_seconds"] for row in rows if row["abandoned"] is False]
    assert (len(answered), share(5000 - len(answered), 5000)) == (4054, 18.92)
    assert round(mean(answered), 2) == 67.52
    rated = [row["csat"] for row in rows if row["csat"] is not None]
    assert (round(mean(rated), 3), share(sum(each >= 4 for each in rated), len(rated))) == (3.404, 49.90)
    assert rows[0]["opened_at"] == datetime(2021, 1, 1, 9, 12, 58)


@needs_shared
def test_real_calls_with_day_and_clock_in_two_columns(tmp_path: Path) -> None:
    reading, rows = real("calls_booking", tmp_path)
    assert (reading.rows, reading.used, reading.reject_count, reading.encoding) == (25100, 25100, 0, "utf-8")
    waits = [
        (row["first_response_at"] - row["opened_at"]).total_seconds()
        for row in rows
        if row["first_response_at"] is not None
    ]
    assert (25100 - len(waits), share(25100 - len(waits), 25100)) == (369, 1.47)
    fast = sum(wait <= 20 for wait in waits)
    assert (round(mean(waits), 2), share(fast, len(waits)), share(fast, 25100)) == (22.98, 44.47, 43.82)


@needs_shared
def test_a_real_look_alike_of_freshdesk(tmp_path: Path) -> None:
    reading, rows = real("techsupport", tmp_path)
    assert (reading.rows, reading.used, reading.reject_count) == (2330, 2330, 0)
    assert len({row["category"] for row in rows}) == 7
    assert reading.flags == {
        "answered_before_opened": 2,
        "resolved_before_answered": 18,
        "closed_before_resolved": 42,
    }
    rated = [row["csat"] for row in rows if row["csat"] is not None]
    assert (round(mean(rated), 3), share(sum(each >= 4 for each in rated), len(rated))) == (3.511, 56.69)
    assert share(len(rated), len(rows)) == 50.34


@needs_shared
def test_a_real_chinese_hotline_with_two_forms_of_time(tmp_path: Path) -> None:
    reading, rows = real("hotline", tmp_path)
    assert (reading.rows, reading.used, reading.reject_count) == (1464, 1464, 0)
    assert reading.headings["channel"] == "信息 来源"
    assert [row["category"] for row in rows].count("投诉") == sum(row["is_complaint"] for row in rows) == 1185
    assert [sum(row["category"] == kind for row in rows) for kind in ("咨询", "建议", "举报", "求助")] == [
        167,
        62,
        46,
        4,
    ]
    days = [row["resolution_calendar_minutes"] / 1440 for row in rows]
    assert (median(days), round(mean(days), 3)) == (4, 6.027)
    within = [share(sum(each <= limit for each in days), len(days)) for limit in (7, 15)]
    assert within == [72.20, 93.72]
    assert sum(row["channel"] == "qq" for row in rows) == 23
    assert not any(row["channel"] == "QQ" for row in rows)
    assert [(note.code, note.column, note.text, note.n) for note in reading.notes] == [
        ("month_first", "opened_at", "", 261),
        ("no_value", "region", "无", 198),
        ("renamed", "channel", "QQ", 3),
    ]
    local_month_first = [row for row in rows if row["row"] == 1205]
    assert local_month_first[0]["opened_at"] == datetime(2016, 12, 30, 16)
    (tmp_path / "again").mkdir()
    reading, _ = real("hotline", tmp_path / "again", formats=("%Y-%m-%d %H:%M:%S",))
    assert (reading.used, reading.rejected_rows) == (1203, 261)


@needs_shared
@pytest.mark.parametrize(("limit", "percent"), [("7 d", 72.20), ("15 d", 93.72)])
def test_the_hotline_answers_within_a_week_and_within_15_days(
    tmp_path: Path, limit: str, percent: float
) -> None:
    settings = read_settings(HERE / "settings" / "hotline.toml")
    source = settings.source.model_copy(update={"path": str(settings.path(settings.source.path))})
    (rule,) = settings.sla.rules
    sla = settings.sla.model_copy(update={"rules": (rule.model_copy(update={"limit": limit}),)})
    changed = {"source": source, "sla": sla, "file": tmp_path / "playbook.toml"}
    # long after the last complaint every one is decided, as in the published shares
    measures = load_measures(settings.model_copy(update=changed), as_of="2021-06-30")
    row = measures.pooled(metrics=("resolution_on_time",)).iloc[0]
    assert (row["denominator"], share(row["numerator"], row["denominator"])) == (1464, percent)

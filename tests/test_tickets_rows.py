"""What a row is: a result that says nothing, a call, a row without id, an event of a ticket."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from csimprove.errors import SettingsError
from csimprove.settings import Settings
from csimprove.tickets import Reading, read_tickets
from test_tickets import MINIMAL, project, read


def read_again(settings: Settings) -> tuple[Reading, list[dict[str, Any]]]:
    folder = settings.folder / "out"
    return read_tickets(settings, folder), pq.read_table(folder / "tickets.parquet").to_pylist()


def test_results_that_say_nothing_are_told_from_others_and_not_kept(tmp_path: Path) -> None:
    vague = ["已解决，客户满意！", "Resolved.", "Issue resolved, customer satisfied", "---"]
    results = [*vague, "All good", "Replaced the fuse", "更换路由器", ""]
    lines = [f'{n},2024-01-01 10:0{n}:00,"{result}"' for n, result in enumerate(results)]
    text = "\n".join(["id,opened,what", *lines, ""])
    columns = MINIMAL | {"result": "what"}
    settings = project(tmp_path, text, columns=columns)
    reading, rows = read_again(settings)
    assert [row["vague_result"] for row in rows] == [True] * 4 + [False] * 3 + [None]
    assert reading.filled["vague_result"] == 7 / 8
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("out/*.*"))
    assert "更换路由器".encode() not in kept
    own = settings.records.model_copy(update={"vague": ("all GOOD!",)})
    _, rows = read_again(settings.model_copy(update={"records": own}))
    assert rows[4]["vague_result"] is True


def test_the_wait_of_calls_follows_from_their_times(tmp_path: Path) -> None:
    text = """id,opened,answered
1,2024-01-01 10:00:00,2024-01-01 10:00:20
2,2024-01-01 10:01:00,
3,2024-01-01 10:02:00,2024-01-01 10:01:59
"""
    columns = MINIMAL | {"first_response_at": "answered"}
    reading, rows = read(tmp_path, text, columns=columns, calls=True)
    assert [(row["wait_seconds"], row["abandoned"]) for row in rows] == [
        (20, False),
        (None, True),
        (None, False),
    ]
    assert (reading.filled["wait_seconds"], reading.filled["abandoned"]) == (1 / 3, 1)
    _, rows = read(tmp_path, text, columns=columns)
    assert [row["abandoned"] for row in rows] == [None] * 3


def test_rows_without_an_id_are_numbered(tmp_path: Path) -> None:
    text = "opened,region\n2024-01-01 10:00:00,A\n2024-01-01 10:00:00,A\n2024-01-02 10:00:00,B\n"
    columns = {"opened_at": "opened", "region": "region"}
    reading, rows = read(tmp_path, text, columns=columns, numbered=True)
    assert (reading.used, reading.excluded) == (3, {})
    assert [row["ticket_id"].split()[-1] for row in rows] == ["1", "2", "3"]


EVENTS = """id,at,what
1,2024-01-01 10:00:00,open
2,2024-01-01 11:00:00,open
1,2024-01-02 10:00:00,answer
1,2024-01-02 10:00:00,answer
1,2024-01-03 10:00:00,answer
1,2024-01-05 10:00:00,close
2,2024-01-01 10:30:00,answer
"""


def test_events_are_folded_into_tickets(tmp_path: Path) -> None:
    columns = {"ticket_id": "id", "opened_at": "at", "status": "what"}
    events = {"first_response_at": ("answer",), "resolved_at": ("close",), "updated_at": ()}
    reading, rows = read(tmp_path, EVENTS, columns=columns, events=events)
    first, second = sorted(rows, key=lambda row: row["ticket_id"])
    names = ("opened_at", "first_response_at", "resolved_at", "updated_at", "status")
    assert [str(first[name])[:13] for name in names] == [
        "2024-01-01 10", "2024-01-02 10", "2024-01-05 10", "2024-01-05 10", "close",
    ]  # fmt: skip
    assert (second["opened_at"].minute, second["resolved_at"], second["status"]) == (30, None, "open")
    assert reading.excluded == {"later_event": 4, "repeated_event": 1}
    assert reading.rows == reading.used + sum(reading.excluded.values())
    del columns["status"]
    with pytest.raises(SettingsError) as refused:
        read(tmp_path, EVENTS, columns=columns, events=events)
    assert str(refused.value) == (
        "`source.events.first_response_at` must be empty without a kind of event, not answer. "
        "Map the kind to status under [source.columns]."
    )

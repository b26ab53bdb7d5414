"""Sources beside one CSV file: folders, workbooks, Parquet, databases, frames."""

from __future__ import annotations

import os
import time
import zipfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from csimprove.errors import SettingsError, TicketDataError
from csimprove.metrics.store import load_measures
from csimprove.settings import Settings
from csimprove.tickets import Reading, read_tickets, take
from test_tickets import MINIMAL

MAPPED = MINIMAL | {"updated_at": "updated", "team": "team"}


def project(folder: Path, path: str, **source: Any) -> Settings:
    source = {"path": path, "columns": MAPPED} | source
    return Settings.model_validate({"project": "Test", "source": source, "file": folder / "playbook.toml"})


def read(folder: Path, path: str, **source: Any) -> tuple[Reading, list[dict[str, Any]]]:
    reading = read_tickets(project(folder, path, **source), folder / "out")
    return reading, pq.read_table(folder / "out" / "tickets.parquet").to_pylist()


def workbook(path: Path, sheets: dict[str, list[str]]) -> None:
    """Write rows of cells in the markup of a workbook; style 1 is a time, 2 a duration."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    names = list(sheets)
    listed = "".join(f'<sheet name="{n}" sheetId="{i}" r:id="r{i}"/>' for i, n in enumerate(names, 1))
    targets = "".join(
        f'<Relationship Id="r{i}" Type="{office}/worksheet" Target="worksheets/sheet{i}.xml"/>'
        for i in range(1, len(names) + 1)
    )
    styles = f'<Relationship Id="s" Type="{office}/styles" Target="styles.xml"/>'
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{package}"><Relationship Id="r1" Type="{office}/officeDocument" '
            'Target="xl/workbook.xml"/></Relationships>',
        )
        file.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>{listed}</sheets></workbook>',
        )
        file.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{package}">{targets}{styles}</Relationships>',
        )
        file.writestr(
            "xl/styles.xml",
            f'<styleSheet xmlns="{main}"><numFmts count="1"><numFmt numFmtId="164" formatCode="[h]:mm:ss"/>'
            '</numFmts><cellXfs count="3"><xf numFmtId="0"/><xf numFmtId="22"/><xf numFmtId="164"/></cellXfs>'
            "</styleSheet>",
        )
        for i, rows in enumerate(sheets.values(), 1):
            lines = "".join(
                f'<row r="{n}">{row.replace("ROW", str(n))}</row>' for n, row in enumerate(rows, 1)
            )
            file.writestr(
                f"xl/worksheets/sheet{i}.xml",
                f'<worksheet xmlns="{main}"><sheetData>{lines}</sheetData></worksheet>',
            )


def cells(*values: str | float | tuple[float, int] | None) -> str:
    found = []
    for place, value in enumerate(values):
        at = f'r="{chr(65 + place)}ROW"'
        if isinstance(value, tuple):
            found.append(f'<c {at} s="{value[1]}"><v>{value[0]}</v></c>')
        elif isinstance(value, str) and value.startswith("#"):
            found.append(f'<c {at} t="e"><v>{value}</v></c>')
        elif isinstance(value, str):
            found.append(f'<c {at} t="inlineStr"><is><t>{value}</t></is></c>')
        elif value is not None:
            found.append(f"<c {at}><v>{value}</v></c>")
    return "".join(found)


# --- folders ---


def months(folder: Path) -> None:
    (folder / "exports").mkdir()
    january = "id,opened,updated,team\n1,2024-01-01,2024-01-02,old\n2,2024-01-01,2024-01-09,kept\n"
    february = (
        "team;id;opened;updated\nnew;1;2024-01-01;2024-02-02\nolder;2;2024-01-01;2024-01-03\nx;3;never;\n"
    )
    (folder / "exports" / "2024-01.csv").write_text(january)
    (folder / "exports" / "2024-02.csv").write_bytes(february.encode("utf-16"))
    (folder / "exports" / "notes.md").write_text("not a table")


@pytest.mark.parametrize("path", ["exports", "exports/2024-*.csv"])
def test_of_overlapping_exports_the_latest_update_of_a_ticket_wins(tmp_path: Path, path: str) -> None:
    months(tmp_path)
    reading, rows = read(tmp_path, path)
    assert [(row["ticket_id"], row["team"], row["row"]) for row in rows] == [
        ("2", "kept", 3),
        ("1", "new", 2),
    ]
    assert (reading.rows, reading.used, reading.rejected_rows) == (5, 2, 1)
    assert reading.excluded == {"duplicate_id": 2}
    assert (reading.source, reading.encoding, reading.delimiter) == (
        "2024-01.csv … 2024-02.csv (2 files)",
        "utf-8, utf-16",
        ",, ;",
    )
    assert str(reading.rejects[0]).startswith("column '2024-02.csv: opened', row 4: must be a time")


def test_a_column_that_only_later_files_have(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Id,Created at\n1,2024-01-01\n")
    (tmp_path / "b.csv").write_text("Id,Created at,Group\n2,2024-01-01,t\n")
    _, rows = read(tmp_path, "?.csv", preset="zendesk", columns={})
    assert [row["team"] for row in rows] == [None, "t"]


def test_a_folder_without_a_table(tmp_path: Path) -> None:
    (tmp_path / "exports").mkdir()
    with pytest.raises(TicketDataError) as caught:
        read(tmp_path, "exports")
    assert str(caught.value) == (
        "exports cannot be used:\n  file: must hold a file that ends in .csv, .tsv, .txt, .xlsx, .parquet."
    )


@pytest.mark.slow
def test_a_file_that_joins_a_folder_changes_the_measures(tmp_path: Path) -> None:
    months(tmp_path)
    settings = project(tmp_path, "exports").model_copy(update={"cuts": ("team",)})
    before = load_measures(settings).reading.rows
    (tmp_path / "exports" / "2024-03.csv").write_text("id,opened,updated,team\n9,2024-03-01,,z\n")
    assert (before, load_measures(settings).reading.rows) == (5, 6)


# --- workbooks ---


def test_a_workbook_is_read_as_what_its_cells_mean(tmp_path: Path) -> None:
    rows = [
        cells("id", "opened", "wait", "score", "team"),
        cells(101001399360.0, (45292.375, 1), (1.5, 2), 5.0, "客服"),
        cells(None, None, None, None, None),
        cells("007", "2024-01-01", "#DIV/0!", "#N/A", 'a,"b"'),
        cells("8", "2024-01-02", 90.0, None, None),
    ]
    workbook(tmp_path / "t.xlsx", {"Data": rows})
    mapped = MINIMAL | {"wait_seconds": "wait", "csat": "score", "team": "team"}
    reading, got = read(tmp_path, "t.xlsx", columns=mapped)
    assert [
        tuple(row[name] for name in ("ticket_id", "opened_at", "wait_seconds", "csat", "team")) for row in got
    ] == [
        ("101001399360", datetime(2024, 1, 1, 9), 129600, 5, "客服"),
        ("007", datetime(2024, 1, 1), None, None, 'a,"b"'),
        ("8", datetime(2024, 1, 2), 90, None, None),
    ]
    assert (reading.encoding, reading.reject_count, reading.flags) == ("XLSX", 0, {})


def test_a_sheet_is_chosen_by_name(tmp_path: Path) -> None:
    sheets = {"Cover": [cells("Report")], "Data": [cells("id", "opened"), cells("1", "2024-01-01")]}
    workbook(tmp_path / "t.xlsx", sheets)
    assert read(tmp_path, "t.xlsx", columns=MINIMAL, table="Data")[0].used == 1
    with pytest.raises(TicketDataError) as caught:
        read(tmp_path, "t.xlsx", columns=MINIMAL, table="Date")
    assert str(caught.value) == (
        "t.xlsx cannot be used:\n"
        "  file: holds Cover, Data: set `table` under [source] to one of them, not 'Date'."
    )


# --- Parquet, databases, frames ---

FRAME = {
    "id": [1.0, 2.0, None],
    "opened": [datetime(2024, 1, 1, 9), datetime(2024, 1, 2, 9, 0, 0, 700_000), datetime(2024, 1, 3)],
    "updated": [date(2024, 1, 5), None, None],
    "team": ["a", None, "c"],
    "wait": [timedelta(hours=30), timedelta(seconds=90), None],
    "flag": [True, False, None],
}
TYPED = MAPPED | {"wait_seconds": "wait", "is_complaint": "flag"}
WANTED = [
    ("1", datetime(2024, 1, 1, 9), datetime(2024, 1, 5), "a", True),
    ("2", datetime(2024, 1, 2, 9), None, None, False),
]


def shown(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    names = ("ticket_id", "opened_at", "updated_at", "team", "is_complaint")
    return [tuple(row[name] for name in names) for row in rows]


def test_parquet_keeps_its_types(tmp_path: Path) -> None:
    table = pa.table(FRAME)
    wait = pa.array(["30:00:00", "90", None])
    pq.write_table(table.set_column(4, "wait", wait), tmp_path / "t.parquet")
    reading, rows = read(tmp_path, "t.parquet", columns=TYPED)
    assert shown(rows) == WANTED
    assert [row["wait_seconds"] for row in rows] == [108000, 90]
    assert (reading.rows, reading.rejected_rows, reading.encoding) == (3, 1, "Parquet")


def test_aware_times_of_parquet_win_over_the_zone(tmp_path: Path) -> None:
    opened = [datetime(2024, 1, 1, 9, tzinfo=UTC)]
    pq.write_table(pa.table({"id": ["1"], "opened": opened}), tmp_path / "t.parquet")
    _, rows = read(tmp_path, "t.parquet", columns=MINIMAL, zone="Asia/Shanghai")
    assert rows[0]["opened_at"] == datetime(2024, 1, 1, 9)


def test_a_nested_column_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": [["1"]], "opened": ["2024-01-01"]}), tmp_path / "t.parquet")
    with pytest.raises(TicketDataError) as caught:
        read(tmp_path, "t.parquet", columns=MINIMAL)
    assert str(caught.value) == (
        "t.parquet cannot be used:\n  column 'id': must hold texts, numbers or times, not VARCHAR[]. "
        "Unpack it or correct [source.columns]."
    )


def test_a_table_of_a_database(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "calls.duckdb")) as con:
        con.execute("CREATE TABLE tickets AS SELECT 1 AS id, TIMESTAMP '2024-01-01 09:00' AS opened")
        con.execute("CREATE TABLE other AS SELECT 1 AS x")
    reading, rows = read(tmp_path, "calls.duckdb", columns=MINIMAL, table="tickets")
    assert (rows[0]["ticket_id"], reading.encoding) == ("1", "DuckDB")
    with pytest.raises(TicketDataError) as caught:
        read(tmp_path, "calls.duckdb", columns=MINIMAL)
    assert str(caught.value) == (
        "calls.duckdb cannot be used:\n"
        "  file: holds other, tickets: set `table` under [source] to one of them, not None."
    )


@pytest.mark.parametrize("kind", ["polars", "polars lazy", "pandas", "pyarrow", "duckdb"])
def test_any_frame_gives_the_same_tickets(tmp_path: Path, kind: str) -> None:
    data = {name: column for name, column in FRAME.items() if name != "wait"}
    mapped = {name: heading for name, heading in TYPED.items() if heading != "wait"}
    table = pa.table(data)
    frame: Any = {
        "polars": lambda: pl.DataFrame(data),
        "polars lazy": lambda: pl.DataFrame(data).lazy(),
        "pandas": lambda: pd.DataFrame(data),
        "pyarrow": lambda: table,
        "duckdb": lambda: duckdb.from_arrow(table),
    }[kind]()
    reading = take(frame, project(tmp_path, "none", columns=mapped), tmp_path / "out")
    assert shown(pq.read_table(tmp_path / "out" / "tickets.parquet").to_pylist()) == WANTED
    assert (reading.rows, reading.rejected_rows) == (3, 1)


def test_a_frame_without_the_mapped_columns(tmp_path: Path) -> None:
    with pytest.raises(TicketDataError, match="column 'opened': is missing"):
        take(pl.DataFrame({"id": [1]}), project(tmp_path, "none", columns=MINIMAL), tmp_path / "out")
    with pytest.raises(SettingsError, match="must map ticket_id"):
        take(
            pl.DataFrame({"id": [1]}),
            project(tmp_path, "none", columns={"opened_at": "id"}),
            tmp_path / "out",
        )


def test_copies_that_a_crash_left_behind_are_removed_and_young_ones_kept(tmp_path: Path) -> None:
    old, young = tmp_path / ".crashed" / ".reading-old", tmp_path / "out" / ".reading-young"
    for folder in (old, young):
        folder.mkdir(parents=True)
        (folder / "copy.csv").write_text("names")
    day_ago = time.time() - 90_000
    os.utime(old, (day_ago, day_ago))
    (tmp_path / "t.csv").write_text("id,opened\n1,2024-01-01\n")
    read(tmp_path, "t.csv", columns=MINIMAL)
    assert (old.exists(), young.exists()) == (False, True)

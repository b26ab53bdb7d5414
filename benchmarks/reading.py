"""Reading a CSV file with mixed dates, against the engine's own plain read of the same file.

    python benchmarks/reading.py --rows 1_000_000

Plain: ``COPY (SELECT * FROM read_csv(file)) TO parquet`` with sniffed types, the same threads, memory and
compression: nothing is checked, times in two forms stay text. (Where the second form only begins after the
sample, the plain read stops with an error.)
Ours: `csimprove.tickets.read_tickets`: every value checked, times put to UTC, people masked, repeated ids,
next contacts and suspicious tickets found.
Both are timed in turn, each in a process of its own; the best of several counts, wall clock and CPU.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

from csimprove.settings import Settings
from csimprove.tickets import read_tickets

COLUMNS = {
    "ticket_id": "id", "opened_at": "opened", "first_response_at": "answered", "resolved_at": "solved",
    "updated_at": "updated", "customer": "who", "agent": "by", "category": "category", "channel": "channel",
    "severity": "severity", "region": "region", "team": "team", "status": "status", "csat": "score",
    "is_complaint": "complaint", "replies": "replies", "wait_seconds": "wait",
}  # fmt: skip


def write(path: Path, rows: int) -> None:
    """Write tickets of which every third has its times in another form."""

    def at(minutes: str) -> str:
        moment = f"(TIMESTAMP '2024-01-01' + to_seconds(i * 31 + {minutes} * 60))"
        return (
            f"CASE WHEN i % 3 > 0 THEN strftime({moment}, '%Y-%m-%d %H:%M:%S') "
            f"ELSE strftime({moment}, '%d/%m/%Y %H:%M') END"
        )

    with duckdb.connect() as con:
        con.execute(f"""COPY (SELECT i AS id, {at("0")} AS opened, {at("hash(i) % 300")} AS answered,
            {at("300 + hash(i) % 9000")} AS solved, {at("300 + hash(i) % 9999")} AS updated,
            'customer ' || hash(i * 3) % {rows // 3} AS who, 'agent ' || hash(i * 5) % 500 AS "by",
            'category ' || hash(i * 7) % 30 AS category, 'channel ' || hash(i * 11) % 5 AS channel,
            'P' || hash(i * 13) % 3 AS severity, 'region ' || hash(i * 17) % 6 AS region,
            'team ' || hash(i * 19) % 40 AS team, 'closed' AS status, 1 + hash(i * 23) % 5 AS score,
            hash(i * 29) % 20 = 0 AS complaint, hash(i * 31) % 6 AS replies, hash(i * 37) % 900 AS wait,
            'Subject of ticket ' || i AS subject, md5(i::VARCHAR) AS reference, 'tag' AS tags
            FROM range({rows}) AS r(i)) TO '{path}' (FORMAT csv)""")


def plain(file: Path, folder: Path) -> None:
    """Read and write without looking."""
    with duckdb.connect(config={"threads": 2, "memory_limit": "1GB"}) as con:
        con.execute(f"""COPY (SELECT * FROM read_csv('{file}')) TO '{folder / "plain.parquet"}'
            (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 500000)""")


def ours(file: Path, folder: Path) -> None:
    """Read as the playbook does."""
    source = {"path": str(file), "columns": COLUMNS, "zone": "Asia/Shanghai"}
    settings = Settings.model_validate({"project": "x", "source": source, "file": folder / "playbook.toml"})
    reading = read_tickets(settings, folder / "out")
    assert (reading.used, reading.reject_count) == (reading.rows, 0), reading


def main() -> None:
    """Time both in turn and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        name, file, folder = options.one
        start = time.perf_counter()
        {"plain": plain, "ours": ours}[name](Path(file), Path(folder))
        print(time.perf_counter() - start, time.process_time())
        return
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "tickets.csv"
        write(file, options.rows)
        best = {"plain": (1e9, 1e9), "ours": (1e9, 1e9)}
        for _ in range(options.repeats):
            for name, (wall, cpu) in best.items():
                command = [sys.executable, __file__, "--one", name, str(file), folder]
                done = subprocess.run(command, check=True, capture_output=True, text=True)
                took = [float(part) for part in done.stdout.split()]
                best[name] = (min(wall, took[0]), min(cpu, took[1]))
        print(f"{options.rows} rows, {file.stat().st_size / 1e6:.0f} MB")
    for place, kind in enumerate(("wall", "CPU")):
        own, theirs = best["ours"][place], best["plain"][place]
        print(f"{kind}: plain {theirs:.2f} s, ours {own:.2f} s, ratio {own / theirs:.2f}")


if __name__ == "__main__":
    main()

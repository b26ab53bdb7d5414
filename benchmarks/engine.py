"""All metrics from generated tickets: the package against hand-written DuckDB SQL and vectorised pandas.

    python benchmarks/engine.py --rows 10_000_000

Every contender runs in a process of its own on the same canonical Parquet; the results must be equal.
The canonical step (repeat contacts, disjoint pauses) is timed apart.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from csimprove import columns
from csimprove.metrics import CATALOGUE
from csimprove.metrics.engine import measure_files
from csimprove.settings import Settings
from csimprove.sla import calendar_table, resolve_rules
from csimprove.tickets import Reading

DAYS = 365
FIRST = datetime(2025, 1, 1)
AS_OF = datetime(2026, 1, 8, 7, 30, tzinfo=UTC)
#: The metrics that the hand-written contenders compute too.
EIGHT = 8
KEYS = ("region", "team", "channel", "severity")
OFFICE = ["09:00-12:00", "13:00-18:00"]
STAGES, CHANNELS, SEVERITIES = "pre", "phone online email social branch", "A B C"


def rules() -> list[dict[str, str]]:
    """Make a rule for every stage, channel and severity: 45 a measure."""
    found = []
    for measure, base in (("first_response", 15), ("resolution", 240)):
        for place, stage in enumerate(("pre", "in", "after")):
            for channel in CHANNELS.split():
                for step, severity in enumerate(SEVERITIES.split()):
                    found.append({
                        "measure": measure, "stage": stage, "channel": channel, "severity": severity,
                        "limit": f"{base * (1 + place) * (1 + 3 * step)} min",
                        "clock": "calendar" if severity == "A" else "business",
                    })  # fmt: skip
    return found


def project(threads: int, memory: str) -> Settings:
    """Make settings with two shifts, a night, Chinese holidays and all rules."""
    return Settings.model_validate({
        "project": "benchmark",
        "source": {"path": "none"},
        "calendar": {
            "zone": "Asia/Shanghai",
            "hours": dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), OFFICE) | {"sat": ["22:00-02:00"]},
            "holidays": "CN",
        },
        "sla": {"rules": rules()},
        "cuts": KEYS,
        "engine": {"threads": threads, "memory_limit": memory},
    })  # fmt: skip


READING = Reading(
    source="generated", sha256="", encoding="", delimiter="", preset=None, rows=0, used=0, rejected_rows=0,
    excluded={}, rejects=(), reject_count=0, flags={}, columns=tuple(columns.TICKETS), filled={}, headings={},
    first_opened=FIRST.replace(tzinfo=UTC), last_opened=FIRST.replace(tzinfo=UTC), latest=AS_OF, zone="UTC",
)  # fmt: skip


# --- the data --------------------------------------------------------------------------------------


def generate(folder: Path, rows: int, con: duckdb.DuckDBPyConnection) -> None:
    """Raw tickets and overlapping pauses, the same for every run: all randomness is a hash of the row."""
    con.execute("CREATE MACRO pick(i, k, n) AS CAST(1 + hash(i * 64 + k) % n AS BIGINT)")
    con.execute("CREATE MACRO u(i, k) AS (hash(i * 64 + k) % 1000000007 + 1) / 1000000008.0")
    con.execute(
        "CREATE MACRO later(t, i, k, hours) AS t + to_seconds(CAST(-ln(u(i, k)) * hours * 3600 AS BIGINT))"
    )
    con.execute(f"""CREATE VIEW raw AS
        SELECT i, 'T' || lpad(CAST(i AS VARCHAR), 10, '0') AS ticket_id,
            TIMESTAMP '{FIRST}' + to_seconds(CAST(u(i, 1) * {DAYS * 86400} AS BIGINT)) AS opened_at,
            CASE WHEN u(i, 2) < 0.9 THEN later(opened_at, i, 3, 3) END AS first_response_at,
            CASE WHEN u(i, 4) < 0.93 THEN later(opened_at, i, 5, 30) END AS resolved_at,
            CASE WHEN u(i, 6) < 0.1 THEN later(resolved_at, i, 7, 90) END AS reopened_at,
            CAST(u(i, 8) * {max(rows // 4, 1)} AS BIGINT) AS customer_key,
            'category ' || CAST(u(i, 9) * 20 AS INT) AS category,
            ['pre', 'in', 'after'][pick(i, 10, 3)] AS stage,
            ['phone', 'online', 'email', 'social', 'branch'][pick(i, 11, 5)] AS channel,
            ['A', 'B', 'C'][pick(i, 12, 3)] AS severity,
            pick(i, 13, 20) AS unit,
            'region ' || unit % 4 AS region, 'team ' || unit AS team,
            u(i, 14) < 0.025 AS is_complaint, u(i, 15) < 0.5 AS csat_offered,
            CASE WHEN csat_offered AND u(i, 16) < 0.4 THEN pick(i, 17, 5) END AS csat,
            CASE WHEN channel IN ('phone', 'online') THEN CAST(-ln(u(i, 18)) * 150 AS BIGINT)
                END AS wait_seconds
        FROM range({rows}) AS r(i)""")
    present = {row[0] for row in con.execute("DESCRIBE raw").fetchall()}
    chosen = ", ".join(
        f"CAST({name if name in present else 'NULL'} AS {kind}) AS {name}"
        for name, kind in columns.TICKETS.items()
    )
    _copy(con, f"SELECT {chosen} FROM raw", folder / "raw_tickets.parquet")
    _copy(
        con,
        f"""SELECT t.ticket_id, later(t.opened_at, p.j, 20, 10) AS start_at,
            CASE WHEN u(p.j, 21) < 0.98 THEN later(start_at, p.j, 22, 8) END AS end_at
        FROM (SELECT j, CAST(u(j, 23) * {rows} AS BIGINT) % {rows} AS i
            FROM range({int(0.6 * rows)}) AS r(j)) AS p
        JOIN (SELECT i, ticket_id, opened_at FROM raw) AS t USING (i)""",
        folder / "raw_pauses.parquet",
    )


def make_canonical(folder: Path, con: duckdb.DuckDBPyConnection) -> None:
    """Find repeat contacts, make pauses disjoint and copy the ticket's times onto them, as reading does."""
    con.execute(f"CREATE VIEW t AS FROM '{folder / 'raw_tickets.parquet'}'")
    con.execute("""CREATE TEMP TABLE contacts AS
        SELECT customer_key, category, opened_at, lead(opened_at) OVER
            (PARTITION BY customer_key, category ORDER BY opened_at) AS next_at
        FROM (SELECT DISTINCT customer_key, category, opened_at FROM t)""")
    _copy(
        con,
        """SELECT t.* REPLACE (next_at AS recontact_at)
        FROM t LEFT JOIN contacts USING (customer_key, category, opened_at)""",
        folder / "tickets.parquet",
    )
    _copy(
        con,
        f"""WITH p AS (
            SELECT ticket_id, end_at, greatest(start_at, coalesce(max(coalesce(end_at, 'infinity')) OVER
                (PARTITION BY ticket_id ORDER BY start_at, end_at
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), start_at)) AS start_at
            FROM '{folder / "raw_pauses.parquet"}')
        SELECT {", ".join(columns.PAUSES)} FROM p JOIN t USING (ticket_id)
        WHERE start_at < coalesce(end_at, 'infinity')""",
        folder / "pauses.parquet",
    )


def _copy(con: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    con.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 500000)")


# --- the contenders --------------------------------------------------------------------------------


def ours(folder: Path, settings: Settings) -> pd.DataFrame:
    """Run the package, with everything it does: rules, calendar, plan and pass."""
    frame, _ = measure_files(
        folder, settings=settings, reading=READING, metrics=CATALOGUE[:EIGHT], keys=KEYS, as_of=AS_OF
    )
    return frame


def hand_sql(folder: Path, settings: Settings) -> pd.DataFrame:
    """Run one hand-written query for the same figures; calendar and rules are given."""
    con = connect(settings, folder)
    calendar, limits = tables(settings)
    con.register("cal", calendar)
    con.register("limits", limits)
    now = f"TIMESTAMP '{AS_OF:%Y-%m-%d %H:%M:%S}'"

    def w(cal: str, at: str) -> str:
        pieces = sum(name.startswith("l") for name in calendar.column_names)
        terms = (f"least(greatest({sec(at)} - {cal}.s{n}, 0), {cal}.l{n})" for n in range(pieces))
        return f"{cal}.cum + {' + '.join(terms)}"

    def sec(at: str) -> str:
        return f"(epoch_us({at}) // 1000000 % 86400)"

    def passed(kind: str, end: str, end_at: str, start: str, start_at: str) -> str:
        return (
            f"CASE WHEN {kind} = 1 THEN ({w(end, end_at)}) - ({w(start, start_at)}) "
            f"ELSE (epoch_us({end_at}) - epoch_us({start_at})) // 1000000 END"
        )

    query = f"""
    WITH p AS (
        SELECT ticket_id, response_business AS rb, resolution_business AS sb,
            greatest(start_at, opened_at) AS a,
            greatest(a, least(end_at, first_response_at, {now})) AS r,
            greatest(a, least(end_at, resolved_at, {now})) AS s
        FROM '{folder / "pauses.parquet"}' LEFT JOIN limits USING (stage, channel, severity)
        WHERE start_at <= {now}
    ), paused AS (
        SELECT ticket_id,
            sum({passed("rb", "cr", "r", "ca", "a")})::BIGINT AS pr,
            sum({passed("sb", "cs", "s", "ca", "a")})::BIGINT AS ps
        FROM p LEFT JOIN cal ca ON ca.date = a::DATE
            LEFT JOIN cal cr ON cr.date = r::DATE LEFT JOIN cal cs ON cs.date = s::DATE
        GROUP BY ticket_id
    ), t AS (
        SELECT ticket_id, opened_at AS o, region, team, channel, severity, is_complaint, csat, csat_offered,
            wait_seconds,
            CASE WHEN first_response_at <= {now} THEN greatest(first_response_at, opened_at) END AS fr,
            CASE WHEN resolved_at <= {now} THEN greatest(resolved_at, opened_at) END AS so,
            CASE WHEN reopened_at <= {now} THEN reopened_at END AS ro,
            CASE WHEN recontact_at <= {now} THEN recontact_at END AS rc,
            response_limit_s AS rl, response_business AS rb, resolution_limit_s AS sl,
            resolution_business AS sb,
            coalesce(fr, {now}) AS re, coalesce(so, {now}) AS se, {now} AS e
        FROM '{folder / "tickets.parquet"}' LEFT JOIN limits USING (stage, channel, severity)
        WHERE opened_at <= {now}
    ), c AS (
        SELECT t.*, (co.day_s + {sec("o")}
                + CASE WHEN {sec("o")} < co.turn THEN co.offset ELSE co.offset_after END) // 86400 AS day,
            {passed("rb", "cr", "re", "co", "o")} - coalesce(pr, 0) AS rk,
            {passed("rb", "ce", "e", "co", "o")} - coalesce(pr, 0) AS rend,
            {passed("sb", "cs", "se", "co", "o")} - coalesce(ps, 0) AS sk,
            {passed("sb", "ce", "e", "co", "o")} - coalesce(ps, 0) AS send
        FROM t LEFT JOIN paused USING (ticket_id)
        LEFT JOIN cal co ON co.date = o::DATE
            LEFT JOIN cal cr ON cr.date = re::DATE LEFT JOIN cal cs ON cs.date = se::DATE
        JOIN (FROM cal WHERE date = {now}::DATE) ce ON true
    ), f AS (
        SELECT day, region, team, channel, severity, fr IS NULL AND so IS NOT NULL AS no_reply,
            NOT no_reply AND rend > rl AS rd, rd AND rk <= rl AS rm, send > sl AS sd, sd AND sk <= sl AS sm,
            o <= {now} - INTERVAL 7 DAY AS old, old AND coalesce(ro <= o + INTERVAL 7 DAY, false) AS back,
            old AND NOT back AND coalesce(so <= o + INTERVAL 7 DAY, false)
                AND NOT coalesce(rc <= o + INTERVAL 7 DAY, false) AS once,
            wait_seconds AS ws, is_complaint AS ic, csat,
            coalesce(csat_offered, false) OR csat IS NOT NULL AS asked
        FROM c
    )
    SELECT day, region, team, channel, severity, count(*) AS tickets,
    count(*) FILTER (WHERE no_reply) AS no_reply,
        count(*) FILTER (WHERE rm) AS response_on_time__sum,
        count(*) FILTER (WHERE rd) AS response_on_time__decided,
        count(*) FILTER (WHERE NOT no_reply) AS response_on_time__eligible,
        count(*) FILTER (WHERE once) AS first_contact_resolution__sum,
        count(*) FILTER (WHERE old) AS first_contact_resolution__decided,
        count(*) AS first_contact_resolution__eligible,
        coalesce(sum(ws), 0)::BIGINT AS waiting_time__sum, count(ws) AS waiting_time__decided,
        count(ws) AS waiting_time__eligible, coalesce(sum(ws * ws), 0)::BIGINT AS waiting_time__squares,
        count(*) FILTER (WHERE ic) AS complaint_rate__sum, count(ic) AS complaint_rate__decided,
        count(ic) AS complaint_rate__eligible,
        count(*) FILTER (WHERE csat >= 4) AS csat__sum, count(csat) AS csat__decided,
        count(csat) AS csat__eligible,
        count(csat) AS csat_response__sum, count(*) FILTER (WHERE asked) AS csat_response__decided,
        count(*) FILTER (WHERE asked) AS csat_response__eligible,
        count(*) FILTER (WHERE back) AS reopen_rate__sum,
        count(*) FILTER (WHERE old) AS reopen_rate__decided, count(*) AS reopen_rate__eligible,
        count(*) FILTER (WHERE sm) AS resolution_on_time__sum,
        count(*) FILTER (WHERE sd) AS resolution_on_time__decided,
        count(*) AS resolution_on_time__eligible
    FROM f GROUP BY ALL"""
    return con.execute(query).df()


def in_pandas(folder: Path, settings: Settings) -> pd.DataFrame:
    """Compute the same figures in vectorised pandas: categories, arrays, no loop over rows."""
    calendar, limits = (table.to_pandas() for table in tables(settings))
    start = int(calendar["day_s"].iloc[0])
    pieces = [
        tuple(calendar[f"{part}{n}"].to_numpy() for part in "sl")
        for n in range(sum(name.startswith("l") for name in calendar))
    ]
    cum = calendar["cum"].to_numpy()

    def business(seconds: np.ndarray) -> np.ndarray:
        day = (seconds - start) // 86_400
        into = seconds - start - day * 86_400
        total = cum[day]
        for first, length in pieces:
            total += np.clip(into - first[day], 0, length[day])
        return total

    def epoch(values: pd.Series) -> np.ndarray:
        """Seconds; a missing time is far in the future."""
        found = values.to_numpy("datetime64[s]").astype("int64")
        return np.where(found == np.iinfo("int64").min, np.iinfo("int64").max, found)

    def passed(kind: np.ndarray, end: np.ndarray, first: np.ndarray) -> np.ndarray:
        return np.where(kind == 1, business(end) - business(first), end - first)

    now = int(AS_OF.timestamp())
    names = list(columns.RULE_KEYS)
    events = {"response": "first_response_at", "resolution": "resolved_at"}
    p = pd.read_parquet(folder / "pauses.parquet").astype(dict.fromkeys(names, "category"))
    p = p[p["start_at"] <= AS_OF.replace(tzinfo=None)].merge(limits, on=names, how="left")
    begin = np.maximum(epoch(p["start_at"]), epoch(p["opened_at"]))
    until = np.minimum(epoch(p["end_at"]), now)
    for measure, event in events.items():
        end = np.maximum(begin, np.minimum(until, epoch(p[event])))
        p[measure] = passed(p[f"{measure}_business"].to_numpy("int64"), end, begin)
    paused = p.groupby("ticket_id", sort=False)[list(events)].sum()
    del p, begin, until, end

    wanted = [
        "ticket_id", "opened_at", "first_response_at", "resolved_at", "reopened_at", "recontact_at", "stage",
        "channel", "severity", "region", "team", "is_complaint", "csat", "csat_offered", "wait_seconds",
    ]  # fmt: skip
    t = pd.read_parquet(folder / "tickets.parquet", columns=wanted)
    t = t[t["opened_at"] <= AS_OF.replace(tzinfo=None)]
    t = t.astype(dict.fromkeys([*names, "region", "team"], "category")).merge(limits, on=names, how="left")
    t = t.join(paused, on="ticket_id")
    opened, week = epoch(t["opened_at"]), 7 * 86_400
    old = opened + week <= now
    happened = {
        name: np.where((at := epoch(t[f"{name}_at"])) <= now, at, np.iinfo("int64").max)
        for name in ("first_response", "resolved", "reopened", "recontact")
    }
    out: dict[str, np.ndarray] = {"tickets": np.ones(len(t), "int64")}
    solved = happened["resolved"] <= now
    out["no_reply"] = solved & (happened["first_response"] > now)
    for measure, event in (("response", "first_response"), ("resolution", "resolved")):
        kind, limit = (t[f"{measure}_{part}"].to_numpy("int64") for part in ("business", "limit_s"))
        pause = t[measure].fillna(0).to_numpy("int64")
        end = np.minimum(np.maximum(happened[event], opened), now)
        applies = ~out["no_reply"] if measure == "response" else np.ones(len(t), bool)
        decided = applies & (passed(kind, np.full(len(t), now), opened) - pause > limit)
        met = decided & (passed(kind, end, opened) - pause <= limit)
        _add(out, f"{measure}_on_time", met, decided, applies)
    back = happened["reopened"] <= opened + week
    once = (happened["resolved"] <= opened + week) & ~back & (happened["recontact"] > opened + week)
    every = np.ones(len(t), bool)
    _add(out, "first_contact_resolution", once & old, old, every)
    _add(out, "reopen_rate", back & old, old, every)
    waited = t["wait_seconds"].notna().to_numpy()
    wait = t["wait_seconds"].fillna(0).to_numpy("int64")
    _add(out, "waiting_time", wait, waited, waited)
    out["waiting_time__squares"] = wait * wait
    says = t["is_complaint"].notna().to_numpy()
    _add(out, "complaint_rate", t["is_complaint"].fillna(False).to_numpy(bool), says, says)
    score = t["csat"].fillna(0).to_numpy("int64")
    asked = t["csat_offered"].fillna(False).to_numpy(bool) | (score > 0)
    _add(out, "csat", score >= 4, score > 0, score > 0)
    _add(out, "csat_response", score > 0, asked, asked)
    day = (opened - start) // 86_400
    offsets = calendar[["offset", "turn", "offset_after"]].to_numpy()[day]
    offset = np.where(opened - start - day * 86_400 < offsets[:, 1], offsets[:, 0], offsets[:, 2])
    sums = pd.DataFrame(out).astype("int64")
    by = [pd.Series((opened + offset) // 86_400, name="day"), *(t[key] for key in KEYS)]
    return sums.groupby(by, observed=True, sort=False).sum().reset_index()


def _add(
    out: dict[str, np.ndarray], name: str, total: np.ndarray, decided: np.ndarray, eligible: np.ndarray
) -> None:
    out |= {f"{name}__sum": total, f"{name}__decided": decided, f"{name}__eligible": eligible}


CONTENDERS: dict[str, Callable[[Path, Settings], pd.DataFrame]] = {
    "ours": ours,
    "sql": hand_sql,
    "pandas": in_pandas,
}


def connect(settings: Settings, folder: Path) -> duckdb.DuckDBPyConnection:
    """Open DuckDB within the same limits for everybody."""
    return duckdb.connect(config={
        "threads": settings.engine.threads,
        "memory_limit": settings.engine.memory_limit,
        "temp_directory": str(folder / "spill"),
    })  # fmt: skip


def tables(settings: Settings) -> tuple[Any, Any]:
    """Make calendar and resolved rules."""
    combinations = {(rule.stage, rule.channel, rule.severity): 1 for rule in settings.sla.rules}
    first = FIRST.date() - timedelta(days=1)
    return (
        calendar_table(settings.calendar, first, AS_OF.date()).frame,
        resolve_rules(settings.sla.rules, combinations),
    )


# --- running ---------------------------------------------------------------------------------------


def tidied(frame: pd.DataFrame) -> pd.DataFrame:
    """Give every result the same order, types and days."""
    if pd.api.types.is_integer_dtype(frame["day"]):
        frame = frame.assign(day=pd.to_datetime(frame["day"], unit="D"))
    values = [name for name in frame if name not in ("day", *KEYS)]
    types = {"day": "datetime64[ns]", **dict.fromkeys(KEYS, "str"), **dict.fromkeys(values, "int64")}
    frame = frame.astype(types).sort_values(["day", *KEYS], ignore_index=True)
    return frame[["day", *KEYS, *sorted(values)]]


def run_one(name: str, folder: Path, settings: Settings) -> None:
    """In a process of its own: print times and peak memory, keep the result."""
    wall, cpu = time.perf_counter(), time.process_time()
    frame = CONTENDERS[name](folder, settings)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    tidied(frame).to_parquet(folder / f"result_{name}.parquet")
    print(json.dumps({"wall": wall, "cpu": cpu, "peak_gib": peak, "groups": len(frame)}))


def contend(name: str, folder: Path, options: list[str]) -> dict[str, float]:
    """Run one contender in a process of its own."""
    command = [sys.executable, __file__, "--contender", name, "--folder", str(folder), *options]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return json.loads(output.splitlines()[-1])


def main() -> None:
    """Generate, run everybody, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", type=lambda text: int(text.replace("_", "")), default=1_000_000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--memory-limit", default="1500MB", help="of DuckDB, for the package and the SQL")
    parser.add_argument("--repeat", type=int, default=3, help="runs of the package and of the SQL, in turn")
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--contender", choices=[*CONTENDERS, "prepare"], help=argparse.SUPPRESS)
    given = parser.parse_args()
    settings = project(given.threads, given.memory_limit)
    if given.contender == "prepare":
        prepare(given.rows, given.folder, settings)
    elif given.contender:
        run_one(given.contender, given.folder, settings)
    else:
        run_all(given)


def prepare(rows: int, folder: Path, settings: Settings) -> None:
    """Generate, and time the canonical step."""
    with connect(settings, folder) as con:
        generate(folder, rows, con)
        start = time.perf_counter()
        make_canonical(folder, con)
        print(json.dumps({"canonical": time.perf_counter() - start}))


def run_all(given: argparse.Namespace) -> None:
    """Let everybody run in turn, each in a process of its own."""
    options = [
        "--rows",
        str(given.rows),
        "--threads",
        str(given.threads),
        "--memory-limit",
        given.memory_limit,
    ]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # a child starts with the peak memory of its parent, so the parent stays small
        prepared = contend("prepare", folder, options)
        print(f"{given.rows:,} tickets; canonical step {prepared['canonical']:.1f} s")
        runs: dict[str, list[dict[str, float]]] = {name: [] for name in CONTENDERS}
        for _ in range(given.repeat):
            for contender in ("ours", "sql"):
                runs[contender].append(contend(contender, folder, options))
        runs["pandas"].append(contend("pandas", folder, options))
        report(runs, folder)


def report(runs: dict[str, list[dict[str, float]]], folder: Path) -> None:
    """Check that the results are equal and print times, memory and ratios."""
    results = {name: pd.read_parquet(folder / f"result_{name}.parquet") for name in runs}
    for name in ("sql", "pandas"):
        pd.testing.assert_frame_equal(results["ours"], results[name])
    print(f"results equal: {len(results['ours']):,} groups x {results['ours'].shape[1]} columns")
    best = {name: {key: min(run[key] for run in found) for key in found[0]} for name, found in runs.items()}
    for name, found in runs.items():
        peak = max(run["peak_gib"] for run in found)
        walls = " ".join(f"{run['wall']:.2f}" for run in found)
        print(f"{name:7} wall {walls} s; least cpu {best[name]['cpu']:.2f} s; peak {peak:.2f} GiB")
    for kind in ("wall", "cpu"):
        print(
            f"{kind}: ours is {best['ours'][kind] / best['sql'][kind]:.2f} x hand-written SQL, "
            f"pandas is {best['pandas'][kind] / best['ours'][kind]:.1f} x ours"
        )


if __name__ == "__main__":
    main()

"""How long things take: the bins, the counts, what open tickets do to a median, and what is kept."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import hypothesis.strategies as st
import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given

from csimprove import columns, report
from csimprove.baseline import baseline
from csimprove.errors import SettingsError
from csimprove.inference import BIN_STARTS, summarise
from csimprove.metrics import Measures, engine, load_measures
from csimprove.metrics.engine import binned, duration_bin
from csimprove.pilot.durations import pilot_durations
from csimprove.settings import Calendar, Settings, Sla, SlaRule, read_settings
from csimprove.sla import calendar_table, resolve_rules, time_tickets
from made_measures import BEFORE, DURING, made_measures, pilot_plan
from made_results import BASELINE, PILOT
from test_metrics import DAY, MINUTE, NOON, TOML, real, small, small_project
from test_sla import canonical

__all__ = ["small_project"]  # a fixture

LAST = len(BIN_STARTS) - 1


# --- the bins --------------------------------------------------------------------------------------


def placed(minutes: list[int], engine: str = "polars") -> list[int]:
    table = pl.DataFrame({"row": range(len(minutes)), "minutes": minutes})
    native = table.lazy() if engine == "polars" else duckdb.connect().from_arrow(table.to_arrow())
    frame = nw.from_native(native).with_columns(duration_bin(nw.col("minutes")).alias("bin"))
    return frame.collect("pyarrow").to_native().to_pandas().sort_values("row")["bin"].tolist()


def test_the_bins_are_exact_below_32_minutes_then_at_most_a_sixteenth_wide():
    assert BIN_STARTS[:34].tolist() == [*range(33), 34]
    assert (BIN_STARTS[LAST], LAST) == (131_072, 224)
    widths = np.diff(BIN_STARTS)
    assert (np.diff(widths) >= 0).all()
    assert (widths[32:] / BIN_STARTS[32:-1]).max() == 1 / 16


@pytest.mark.parametrize("engine", ["polars", "duckdb"])
def test_the_lowest_and_highest_minute_of_every_bin_is_placed_in_it(engine):
    starts = BIN_STARTS.astype(int).tolist()
    ends = [start - 1 for start in starts[1:]]
    assert placed(starts, engine) == list(range(LAST + 1))
    assert placed(ends, engine) == list(range(LAST))
    assert placed([-3, 10**7], engine) == [0, LAST]


@pytest.mark.slow
@given(st.lists(st.integers(0, 200_000), min_size=1, max_size=50))
def test_places_are_those_of_a_search_in_the_starts(minutes):
    assert placed(minutes) == (np.searchsorted(BIN_STARTS, minutes, side="right") - 1).tolist()


# --- the summary -----------------------------------------------------------------------------------


def in_bins(minutes: np.ndarray, over: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    place = np.searchsorted(BIN_STARTS, minutes, side="right") - 1
    counts = [np.bincount(place[chosen], minlength=LAST + 1) for chosen in (over, ~over)]
    return np.arange(LAST + 1), *counts


def test_open_tickets_are_told_and_closed_tickets_alone_are_not():
    rng = np.random.default_rng(4)
    # opened evenly over four weeks, looked at on their last day
    truth = rng.lognormal(math.log(3000), 1.2, 400_000)
    seen = rng.uniform(0, 28 * 1440, len(truth))
    bins, events, censored = in_bins(np.minimum(truth, seen), truth <= seen)
    found = summarise(bins, events, censored, horizon=10_080)
    closed = summarise(bins, events, np.zeros_like(censored), horizon=10_080)
    assert (found.n, found.events) == (len(truth), (truth <= seen).sum())
    assert found.median == pytest.approx(np.median(truth), rel=0.01)
    assert found.p90 == pytest.approx(np.quantile(truth, 0.9), rel=0.01)
    assert found.restricted_mean == pytest.approx(np.minimum(truth, 10_080).mean(), rel=0.01)
    assert closed.p90 < 0.8 * np.quantile(truth, 0.9)
    assert found.median_low < found.median < found.median_high
    assert found.mean_low < found.restricted_mean < found.mean_high


def test_what_lasts_longer_than_the_bins_is_not_over_within_them():
    found = summarise([0, LAST], [5, 4], [0, 1], horizon=60)
    assert (found.n, found.events, found.censored) == (10, 9, 1)
    assert 0 < found.median <= 1
    assert math.isnan(found.p90)
    assert found.restricted_mean == pytest.approx(0.5 * 0.5 + 0.5 * 60)


def test_what_the_observation_does_not_reach_is_missing():
    found = summarise([3], [0], [8], horizon=60)
    assert (found.n, found.events) == (8, 0)
    assert all(math.isnan(value) for value in (found.median, found.p90, found.restricted_mean))


# --- the counts ------------------------------------------------------------------------------------

MIXED = Sla(
    rules=(
        SlaRule(measure="first_response", limit="1 h"),
        SlaRule(measure="first_response", severity="A", limit="1 h", clock="calendar"),
    )
)


def counted(*tickets: dict[str, Any], engine: str = "polars", sla: Sla = MIXED) -> list[tuple[Any, ...]]:
    """Team, measure, clock, bin, events and censored, as of noon of the next day."""
    rows = [{"ticket_id": str(n), "opened_at": NOON, **ticket} for n, ticket in enumerate(tickets)]
    tables = (
        canonical(rows),
        canonical([], columns.PAUSES),
        calendar_table(Calendar(hours={"mon": ("09:00-13:00",)}), NOON.date(), NOON.date() + DAY).frame,
        resolve_rules(sla.rules, {("", "", row.get("severity") or ""): 1 for row in rows}),
    )
    con = duckdb.connect()
    place = con.from_arrow if engine == "duckdb" else lambda table: pl.from_arrow(table).lazy()
    frames = [nw.from_native(place(table)) for table in tables]
    counts = binned(time_tickets(*frames, as_of=NOON + DAY, sla=sla), keys=("team",)).collect("pyarrow")
    found = counts.to_native().select(["team", "measure", "clock", "bin", "events", "censored"]).to_pylist()
    return sorted(tuple(row.values()) for row in found)


def first_responses(*tickets: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [row[2:] for row in counted(*tickets) if row[1] == "first_response"]


def test_an_answer_is_counted_at_its_minutes_on_the_clock_of_its_rule():
    answered = {"first_response_at": NOON + 90 * MINUTE}
    # open until 13:00: 60 business minutes, 90 calendar minutes
    assert first_responses(answered) == [("business", 46, 1, 0)]
    assert first_responses({**answered, "severity": "A"}) == [("calendar", 54, 1, 0)]


def test_a_ticket_still_waiting_counts_as_open_for_the_time_it_has_waited():
    assert first_responses({}) == [("business", 46, 0, 1)]
    assert first_responses({"severity": "A"}) == [("calendar", 118, 0, 1)]  # 1,440 minutes
    later = {"severity": "A", "first_response_at": NOON + 2 * DAY}
    assert first_responses(later) == [("calendar", 118, 0, 1)]


def test_tickets_resolved_without_any_reply_are_not_in_the_first_response():
    resolved = {"team": "T", "resolved_at": NOON + 5 * MINUTE}
    assert counted(resolved) == [("T", "resolution", "calendar", 5, 1, 0)]


def test_a_stated_duration_counts_on_its_own_clock_only():
    assert first_responses({"first_response_business_minutes": 7}) == [("business", 7, 1, 0)]
    # answered, but nobody knows after how many business minutes
    assert first_responses({"first_response_calendar_minutes": 7}) == []


def test_duckdb_and_polars_give_the_same_counts():
    tickets = [
        {
            "team": f"T{n % 3}" if n % 3 else None,
            "severity": "A" if n % 4 else None,
            "opened_at": NOON + n * 5 * MINUTE,
            "first_response_at": NOON + n * 7 * MINUTE if n % 5 else None,
            "resolved_at": NOON + n * 60 * MINUTE if n % 6 else None,
        }
        for n in range(280)
    ]
    on_polars = counted(*tickets)
    assert counted(*tickets, engine="duckdb") == on_polars
    totals = pd.DataFrame(on_polars).groupby(1)[[4, 5]].sum().sum(axis=1)
    assert totals["resolution"] == 280
    assert 200 < totals["first_response"] < 280


# --- what is kept ----------------------------------------------------------------------------------


@pytest.mark.slow
def test_durations_are_counted_when_first_asked_for_and_kept(small_project, monkeypatch):
    settings = read_settings(small_project / "playbook.toml")
    measures = load_measures(settings)
    folder = small_project / "reports" / "small" / "measures" / measures.key[:16]
    assert not (folder / "durations.parquet").exists()
    found = measures.durations
    assert found is measures.durations
    assert list(found.columns) == ["day", "team", "measure", "clock", "bin", "events", "censored"]
    monkeypatch.setattr(engine, "bin_files", None)  # a second count would fail
    pd.testing.assert_frame_equal(load_measures(settings).durations, found)
    rows = found.astype({"day": "str", "team": "str", "measure": "str", "clock": "str"}).to_numpy().tolist()
    assert rows == [
        ["2025-03-03", "A", "first_response", "calendar", 10, 1, 0],
        ["2025-03-03", "A", "resolution", "calendar", 46, 1, 0],
        ["2025-03-04", "", "first_response", "calendar", 66, 1, 0],
        ["2025-03-04", "", "resolution", "calendar", 129, 1, 0],
        ["2025-03-04", "A", "first_response", "calendar", 119, 0, 1],
        ["2025-03-04", "A", "resolution", "calendar", 119, 0, 1],
    ]
    assert [path.name for path in folder.iterdir() if path.is_dir()] == []


@pytest.mark.slow
@pytest.mark.parametrize("kept", [True, False])
def test_durations_that_are_damaged_or_cannot_be_kept_are_counted_again(small_project, kept):
    if not kept:
        (small_project / "reports").write_text("a file, not a folder", encoding="utf-8")
    settings = read_settings(small_project / "playbook.toml")
    found = load_measures(settings).durations
    for file in (small_project / "reports").glob("small/measures/*/durations.parquet"):
        file.write_text("{}", encoding="utf-8")
    pd.testing.assert_frame_equal(load_measures(settings).durations, found)
    assert found[["events", "censored"]].sum().tolist() == [4, 2]


@pytest.mark.slow
def test_a_measure_without_a_single_event_has_no_durations(small_project):
    file = small_project / "playbook.toml"
    file.write_text(TOML.replace('resolved_at = "solved"\n', ""), encoding="utf-8")
    assert load_measures(read_settings(file)).durations["measure"].unique().tolist() == ["first_response"]


@pytest.mark.slow
def test_durations_are_summarised_by_group_day_and_value(small_project):
    measures = load_measures(read_settings(small_project / "playbook.toml"))
    every = measures.duration_summary()
    assert every[["measure", "clock", "n", "events", "censored", "horizon"]].to_numpy().tolist() == [
        ["first_response", "calendar", 3, 2, 1, 1440.0],
        ["resolution", "calendar", 3, 2, 1, 10080.0],
    ]
    by_team = measures.duration_summary("team", last=NOON.date(), where={"team": ("A", "B")})
    assert by_team[["team", "measure", "n"]].to_numpy().tolist() == [
        ["A", "first_response", 1],
        ["A", "resolution", 1],
    ]
    assert by_team["median"].tolist() == pytest.approx([10.5, 61.0])
    message = (
        "^`by` and `where` must name day, week or a cut, not 'region'. Cuts of these measures: team; add"
    )
    with pytest.raises(SettingsError, match=message):
        measures.duration_summary("region")


def test_measures_without_tickets_behind_them_have_no_durations():
    assert small().durations.empty
    assert small().duration_summary("team").empty


@pytest.mark.slow
@real
def test_first_replies_of_zendesk_by_group(tmp_path):
    settings = read_settings(Path(__file__).parent / "settings" / "zendesk.toml")
    measures = load_measures(settings, folder=tmp_path)
    found = measures.duration_summary("team", where={"team": tuple(PUBLISHED)})
    found = found[found["measure"] == "first_response"].set_index("team")
    counts = measures.durations[measures.durations["measure"] == "first_response"]
    assert set(found["clock"]) == {"business"}
    for team, median in PUBLISHED.items():
        own = counts[counts["team"] == team].groupby("bin")["events"].sum()
        replied = summarise(own.index, own, np.zeros_like(own), horizon=1440)
        # the published medians are of replied tickets; ours is to a bin, and a minute lasts until the next
        assert replied.median == pytest.approx(median, rel=0.02)
        assert found.loc[team, "median"] > replied.median  # some are still waiting
    assert found[["n", "events"]].sum().tolist() == [6649, 6494]


#: Median minutes until the first reply of the replied tickets of each group.
PUBLISHED = {"Support": 121, "Onboardings": 604, "Reimbursement Claims": 953.5, "Endorsements": 2261}


# --- what the results say --------------------------------------------------------------------------


def arms() -> Measures:
    """Three answered and one waiting ticket in the East before; faster in the pilot; the West slower."""
    day = {period: pd.Timestamp(first) for period, (first, _) in (("before", BEFORE), ("during", DURING))}
    rows = [
        (day["before"], "East", "first_response", "business", 10, 3, 0),
        (day["before"], "East", "first_response", "business", 224, 0, 1),
        (day["before"], "West", "first_response", "business", 30, 4, 0),
        (day["during"], "East", "first_response", "business", 5, 4, 0),
        (day["during"], "West", "first_response", "business", 30, 4, 0),
        (day["during"], "North", "first_response", "business", 0, 9, 0),
        (day["before"], "East", "resolution", "calendar", 224, 1, 1),
    ]
    names = ["day", "region", "measure", "clock", "bin", "events", "censored"]
    made = made_measures([{"day": BEFORE[0], "tickets": 1}])
    return replace(made, count_durations=lambda: pd.DataFrame(rows, columns=names))


def test_a_pilot_tells_durations_of_both_arms_in_both_windows():
    found = pilot_durations(arms(), pilot_plan())
    shown = found[["measure", "clock", "arm", "period", "n", "censored"]].to_numpy().tolist()
    assert shown == [
        ["first_response", "business", "pilot", "before", 4, 1],
        ["first_response", "business", "pilot", "during", 4, 0],
        ["first_response", "business", "control", "before", 4, 0],
        ["first_response", "business", "control", "during", 4, 0],
        ["resolution", "calendar", "pilot", "before", 2, 1],
    ]
    assert found["median"].tolist()[:4] == pytest.approx([10 + 2 / 3, 5.5, 30.5, 30.5])
    assert math.isnan(found["median"][4])
    assert list(pilot_durations(small(), pilot_plan()).columns) == list(found.columns)


def test_a_baseline_tells_durations_of_its_own_period():
    settings = Settings(project="P", source={"path": "t.csv"}, baseline=BEFORE)
    result = baseline(arms(), settings=settings)
    assert result.durations[["measure", "n"]].to_numpy().tolist() == [
        ["first_response", 8],
        ["resolution", 2],
    ]
    told = json.loads(json.dumps(result.to_dict(), allow_nan=False))["durations"]
    assert (told[0]["censored"], told[1]["median"]) == (1, None)


def test_the_table_says_what_is_open_which_clock_and_what_is_not_reached_yet():
    found = pilot_durations(arms(), pilot_plan())
    said = str(report.durations_table(replace(PILOT, durations=found)))
    lines = [re.split(r" {2,}", line) for line in said.splitlines()[1:7]]
    assert lines[0] == ["Until", "Tickets", "Still open", "Median", "P90", "Capped mean"]
    assert lines[1][:3] == ["First response (business hours; pilot, before)", "4", "1"]
    assert lines[1][3].startswith("10.7 min (10.")
    assert lines[1][4] == "not reached yet"
    assert lines[5][:4] == ["Resolution (around the clock; pilot, before)", "2", "1", "not reached yet"]
    assert "a first response counts as at most 24 h, a resolution as at most 168 h" in said
    assert "the verdict does not use these figures" in said
    own = found.drop(columns=["arm", "period"]).iloc[:1]
    chinese = str(report.durations_table(replace(BASELINE, durations=own), language="zh"))
    assert chinese.splitlines()[2].startswith("首次响应 (工作时间)")
    assert "首次响应最多计24小时，解决最多计168小时" in chinese


def test_without_durations_the_table_says_why():
    assert str(report.durations_table(BASELINE)) == (
        "How long it takes cannot be told: the export holds no time of a response or a resolution"
    )

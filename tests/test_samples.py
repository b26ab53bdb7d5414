"""The sample programme holds what it says it holds, measured here without the package's own clock."""

from __future__ import annotations

import re
import tomllib
from dataclasses import asdict
from datetime import date, datetime, time, timedelta
from itertools import product
from pathlib import Path

import chinese_calendar
import numpy as np
import pandas as pd
import pytest

from csimprove.errors import SettingsError
from csimprove.metrics import load_measures
from csimprove.pilot import PilotResult, pilot
from csimprove.samples import _SALT, TICKETS, Sample, Variant, programme, write_sample
from csimprove.samples.process import draw_outcomes
from csimprove.samples.stream import END, HOLIDAYS, MAKE_UP, PHASES, PLAN, TRANSLATIONS, draw_stream
from csimprove.settings import Settings, parse_limit, read_settings
from csimprove.tickets import Reading

COMMITTED = Path(__file__).resolve().parents[1] / "data" / "sample"
HISTORY = ("2025-06-09", "2025-08-03")
PILOT = ("2025-08-25", "2025-09-21")
WEEK = pd.Timedelta(days=7)


@pytest.fixture(scope="module")
def sample() -> Sample:
    return programme()


@pytest.fixture(scope="module")
def plan() -> Settings:
    return read_settings(COMMITTED / "playbook.toml")


@pytest.fixture(scope="module")
def tickets(sample: Sample, plan: Settings) -> pd.DataFrame:
    return measured(sample, plan)


def measured(sample: Sample, plan: Settings) -> pd.DataFrame:
    """Tickets under canonical names, times parsed, with the outcomes that the definitions give."""
    frame = sample.tickets.rename(columns={heading: name for name, heading in plan.source.columns.items()})
    frame = frame[frame["category"] != "Test"].copy()
    for name in ("opened_at", "first_response_at", "resolved_at", "reopened_at"):
        frame[name] = pd.to_datetime(frame[name], format="%Y-%m-%d %H:%M:%S", errors="coerce")
    frame = frame[frame["opened_at"].notna()].sort_values("opened_at", kind="stable")
    following = frame.groupby(["customer", "category"])["opened_at"].shift(-1)
    window = frame["opened_at"] + WEEK
    frame["first_contact"] = (
        (frame["resolved_at"] <= window) & ~(frame["reopened_at"] <= window) & ~(following <= window)
    )
    frame["csat"] = pd.to_numeric(frame["csat"])
    frame["wait_seconds"] = pd.to_numeric(frame["wait_seconds"])
    return frame


def opened_in(frame: pd.DataFrame, period: tuple[str, str]) -> pd.DataFrame:
    return frame[
        frame["opened_at"].between(period[0], pd.Timestamp(period[1]) + pd.Timedelta(days=1), "left")
    ]


def open_seconds(plan: Settings, start: datetime, end: datetime) -> float:
    """Business seconds between two local moments, a day at a time, from the settings and chinese_calendar."""
    assert plan.calendar.hours is not None
    total, day = 0.0, start.date()
    while day <= end.date():
        name, make_up = f"{day:%a}".lower(), day.weekday() > 4 and chinese_calendar.is_workday(day)
        closed = chinese_calendar.get_holiday_detail(day)[1] is not None and not make_up
        for interval in () if closed else plan.calendar.hours.get("mon" if make_up else name, ()):
            first, last = (datetime.combine(day, time.fromisoformat(part)) for part in interval.split("-"))
            total += max(0.0, (min(last, end) - max(first, start)).total_seconds())
        day += timedelta(days=1)
    return total


def winners(plan: Settings, measure: str) -> dict[tuple[str, str, str], list[tuple[str, str]]]:
    found = {}
    for combination in product(PLAN["stage"], PLAN["channel"]["usual"], PLAN["severity"]["usual"]):
        ticket = dict(zip(("stage", "channel", "severity"), combination, strict=True))
        keys = [
            (len(named), rule.limit, rule.clock)
            for rule in plan.sla.rules
            if rule.measure == measure
            for named in [{key for key in ticket if getattr(rule, key) is not None}]
            if all(getattr(rule, key) == ticket[key] for key in named)
        ]
        most = max((key[0] for key in keys), default=0)
        found[combination] = [key[1:] for key in keys if key[0] == most]
    return found


def test_committed_sample_is_what_the_generator_writes_and_is_below_five_megabytes(tmp_path: Path) -> None:
    write_sample(tmp_path, reports="../../reports")
    written = {p.relative_to(tmp_path).as_posix(): p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    committed = {name: (COMMITTED / name).read_bytes() for name in written}
    assert [name for name in written if written[name] != committed[name]] == []
    assert sum(map(len, written.values())) < 5_000_000


def test_settings_are_valid_and_the_same_in_both_languages(tmp_path: Path, plan: Settings) -> None:
    chinese = read_settings(write_sample(tmp_path, language="zh", small=True))
    assert chinese.language == "zh"
    text = (COMMITTED / "playbook.toml").read_text(encoding="utf-8")
    for word, translated in TRANSLATIONS["zh"].items():
        text = text.replace(f'"{word}"', f'"{translated}"')
    data = tomllib.loads(text)
    same = Settings.model_validate({**data, "file": chinese.file})
    assert same.model_dump(include={"calendar", "sla", "metrics", "cuts", "baseline", "source"}) == (
        chinese.model_dump(include={"calendar", "sla", "metrics", "cuts", "baseline", "source"})
    )
    assert plan.pilot is not None
    assert chinese.pilot is not None
    assert chinese.pilot.pilot == ("华东",)
    assert chinese.pilot.metrics == plan.pilot.metrics
    assert all(re.search("[\u4e00-\u9fff]", step.action + step.owner) for step in chinese.pilot.next_steps)


@pytest.mark.parametrize("measure", ["first_response", "resolution"])
def test_every_stage_channel_and_severity_has_exactly_one_limit(plan: Settings, measure: str) -> None:
    assert {key: rules for key, rules in winners(plan, measure).items() if len(rules) != 1} == {}


@pytest.mark.parametrize(
    ("combination", "limit"),
    [
        (("pre-sales", "phone", "C"), ("10 min", "business")),
        (("pre-sales", "online", "A"), ("5 min", "calendar")),
        (("pre-sales", "email", "C"), ("2 h", "business")),
        (("in-sales", "phone", "A"), ("15 min", "calendar")),
        (("in-sales", "branch", "B"), ("30 min", "business")),
        (("after-sales", "phone", "B"), ("10 min", "business")),
        (("after-sales", "email", "B"), ("2 h", "business")),
        (("after-sales", "social", "B"), ("30 min", "business")),
    ],
)
def test_first_response_limit_is_the_cell_of_the_standard_else_that_of_the_severity(
    plan: Settings, combination: tuple[str, str, str], limit: tuple[str, str]
) -> None:
    assert winners(plan, "first_response")[combination] == [limit]


def test_closed_and_make_up_days_are_those_of_the_public_calendar() -> None:
    days = [day.astype(object) for day in np.arange(PHASES[0], END)]
    assert [day for day in days if chinese_calendar.get_holiday_detail(day)[1] and day.weekday() < 7] == [
        *(day for day in days if np.datetime64(day) in HOLIDAYS or np.datetime64(day) in MAKE_UP)
    ]
    assert [day for day in days if day.weekday() > 4 and chinese_calendar.is_workday(day)] == list(
        MAKE_UP.astype(object)
    )


def test_times_of_first_response_lie_on_the_drawn_side_of_the_limit(
    sample: Sample, plan: Settings, tickets: pd.DataFrame
) -> None:
    rng = np.random.default_rng([_SALT, 2025])
    outcomes, _ = draw_outcomes(rng, draw_stream(rng, TICKETS[False], easy_mix=False), "standard")
    frame = sample.tickets[sample.tickets["Category"] != "Test"].reset_index(drop=True)
    limits = winners(plan, "first_response")
    holiday = frame.index[frame["Opened"].str.startswith(("2025-09-30 1", "2025-10-01", "2025-10-11"))][:60]
    chosen = [*np.random.default_rng(1).choice(len(frame), 1200, replace=False), *holiday]
    seen = 0
    for row in chosen:
        ticket = frame.loc[row]
        if not ticket["First response"] or ticket["Opened"] in ("soon", "2025-06-31 09:15:00"):
            continue
        opened, answered = (datetime.fromisoformat(ticket[name]) for name in ("Opened", "First response"))
        limit, clock = limits[ticket["Stage"], ticket["Channel"], ticket["Severity"]][0]
        taken = (
            (answered - opened).total_seconds()
            if clock == "calendar"
            else open_seconds(plan, opened, answered)
        )
        assert (taken <= parse_limit(limit).total_seconds()) == outcomes["on_time"][row], ticket.to_dict()
        seen += 1
    assert seen > 1100
    old_enough = tickets["opened_at"] + WEEK < pd.Timestamp(END)
    usable = np.array([text not in ("soon", "2025-06-31 09:15:00") for text in frame["Opened"]])
    expected = pd.Series(outcomes["first_contact"].to_numpy()[usable], index=tickets.index)
    assert (tickets["first_contact"] == expected)[old_enough].all()


def rates(frame: pd.DataFrame) -> dict[str, tuple[float, int]]:
    """Value and number of tickets of each rate that needs no clock."""
    csat, wait = frame["csat"].dropna(), frame["wait_seconds"].dropna() / 60
    return {
        "first_contact_resolution": (frame["first_contact"].mean(), len(frame)),
        "csat": ((csat >= 4).mean(), len(csat)),
        "csat_score": ((csat.mean() - 1) / 4, len(csat)),
        "complaint_rate": ((frame["is_complaint"] == "yes").mean(), len(frame)),
        "waiting_time": (wait.mean(), len(wait)),
    }


@pytest.mark.parametrize("variant", ["standard", "null", "mix_shift"])
def test_planted_rates_are_found_within_sampling_error(variant: Variant, plan: Settings) -> None:
    drawn = programme(variant=variant)
    frame = measured(drawn, plan)
    east = frame["region"] == "East China"
    cells = {
        "overall": opened_in(frame, HISTORY),
        "pilot_before": opened_in(frame[east], HISTORY),
        "control_before": opened_in(frame[~east], HISTORY),
        "pilot_during": opened_in(frame[east], PILOT),
        "control_during": opened_in(frame[~east], PILOT),
    }
    for cell, group in cells.items():
        for name, (value, count) in rates(group).items():
            planted = getattr(getattr(drawn.truth, cell), name)
            spread = 3.0 if name == "waiting_time" else np.sqrt(planted * (1 - planted))
            # Drift of teams comes on top of the tickets' own chance.
            assert abs(value - planted) < 3.5 * spread / np.sqrt(count) + 0.015, (cell, name, value, planted)


def test_planted_totals_are_those_of_the_programme(sample: Sample) -> None:
    truth = sample.truth
    assert [truth.overall.response_on_time, truth.pilot_before.response_on_time] == pytest.approx(
        [0.75, 0.80]
    )
    assert truth.overall.first_contact_resolution == pytest.approx(0.60)
    assert truth.pilot_before.first_contact_resolution == pytest.approx(0.60)
    assert [truth.overall.complaint_rate, truth.late_after_sales_share] == pytest.approx([0.025, 0.30])
    assert [truth.overall.csat_score, truth.pilot_during.csat_score] == pytest.approx([0.65, 0.82])
    assert truth.pilot_during.response_on_time == pytest.approx(0.95)
    assert truth.pilot_during.first_contact_resolution == pytest.approx(0.85)
    assert [truth.overall.waiting_time, truth.pilot_during.waiting_time] == pytest.approx([5.0, 2.8])
    assert truth.effect.response_on_time == pytest.approx(0.15, abs=0.01)
    assert truth.effect.first_contact_resolution == pytest.approx(0.25, abs=0.01)


def test_three_in_ten_complaints_come_from_late_after_sales_response(tickets: pd.DataFrame) -> None:
    complaints = opened_in(tickets, HISTORY).query("is_complaint == 'yes' and cause != ''")
    share = (complaints["cause"] == "Late after-sales response").mean()
    assert abs(share - 0.30) < 3 * np.sqrt(0.3 * 0.7 / len(complaints))
    late = tickets[tickets["cause"] == "Late after-sales response"]
    assert set(late["stage"]) == {"after-sales"}


@pytest.mark.parametrize("variant", ["null", "mix_shift", "regional_shock"])
def test_variants_without_effect_hold_none(variant: Variant) -> None:
    assert asdict(programme(variant=variant, small=True).truth.effect) == dict.fromkeys(
        asdict(programme(small=True).truth.effect), 0.0
    )


def test_null_leaves_the_pilot_region_as_it_was() -> None:
    truth = programme(variant="null").truth
    assert asdict(truth.pilot_during) == pytest.approx(asdict(truth.pilot_before), abs=0.01)


def test_mix_shift_lifts_crude_rates_but_none_within_strata(plan: Settings) -> None:
    drawn = programme(variant="mix_shift")
    truth = drawn.truth
    assert truth.pilot_during.response_on_time - truth.pilot_before.response_on_time > 0.03
    assert truth.pilot_during.first_contact_resolution - truth.pilot_before.first_contact_resolution > 0.03
    frame = measured(drawn, plan)
    east = frame[frame["region"] == "East China"]
    by = ["channel", "severity"]
    before, during = (
        opened_in(east, period).groupby(by)["first_contact"].agg(["mean", "size"])
        for period in (HISTORY, PILOT)
    )
    weights = before["size"] / before["size"].sum()
    standardised = ((during["mean"] - before["mean"]) * weights).sum()
    assert abs(standardised) < 0.05
    share = (opened_in(east, PILOT)["severity"] == "C").mean() - (
        opened_in(east, HISTORY)["severity"] == "C"
    ).mean()
    assert share > 0.15


@pytest.mark.slow
def test_regional_shock_moves_the_pilot_region_only_and_by_chance() -> None:
    moves = []
    for seed in range(20):
        truth = programme(variant="regional_shock", seed=seed, small=True).truth
        moves.append(truth.pilot_during.response_on_time - truth.pilot_before.response_on_time)
        assert abs(truth.control_during.response_on_time - truth.control_before.response_on_time) < 0.03
    # Logit shocks of sd 0.25 at 80 %: 4 points, against 1 point of changing mix.
    assert 0.02 < np.std(moves) < 0.08


def test_roll_out_reaches_the_other_regions_in_three_weekly_waves(tickets: pd.DataFrame) -> None:
    weekly = tickets.assign(week=(tickets["opened_at"] - pd.Timestamp(HISTORY[0])).dt.days // 7)
    share = weekly.pivot_table(index="week", columns="region", values="first_contact")
    waves = {"North China": 15, "South China": 16, "Southwest": 17}
    for region, wave in waves.items():
        assert share.loc[wave - 1, region] < 0.70 < share.loc[wave, region]


def test_one_seed_gives_one_programme_and_another_a_different_one(sample: Sample) -> None:
    again, other = programme(), programme(seed=7)
    pd.testing.assert_frame_equal(sample.tickets, again.tickets)
    pd.testing.assert_frame_equal(sample.pauses, again.pauses)
    assert again.truth == sample.truth
    assert not sample.tickets["Opened"].equals(other.tickets["Opened"])


def test_variants_of_a_seed_share_their_arrivals(sample: Sample) -> None:
    null = programme(variant="null")
    assert sample.tickets["Opened"].tolist()[:1000] == null.tickets["Opened"].tolist()[:1000]


def test_small_is_a_fifth_and_has_all_teams(sample: Sample) -> None:
    small = programme(small=True)
    assert 20_000 <= len(sample.tickets) <= 24_000
    assert len(small.tickets) == pytest.approx(len(sample.tickets) / 5, rel=0.01)
    assert small.tickets["Team"].nunique() == sample.tickets["Team"].nunique() == 20
    assert sample.tickets.loc[sample.tickets["Agent"] != "", "Agent"].nunique() == 80


def test_chinese_programme_has_chinese_headings_and_values(sample: Sample) -> None:
    chinese = programme(language="zh")
    assert not any(re.search("[A-Za-z]", heading) for heading in chinese.tickets)
    labels = ["问题类别", "服务阶段", "服务渠道", "区域", "班组", "投诉原因", "是否投诉", "是否发送评价"]
    assert not re.search("[A-Za-z]", "".join(chinese.tickets[labels].drop_duplicates().to_numpy().ravel()))
    assert chinese.tickets["受理时间"].tolist() == sample.tickets["Opened"].tolist()
    assert chinese.truth.overall == sample.truth.overall


def test_broken_values_are_where_the_truth_says(sample: Sample) -> None:
    broken, table = sample.truth.broken, sample.tickets
    assert broken.rows == len(table)
    assert broken.excluded == (table["Category"] == "Test").sum() == 24
    assert [table.loc[line - 2, heading] for line, heading, _ in broken.unreadable] == [
        text for *_, text in broken.unreadable
    ]
    assert sum(heading == "Opened" for _, heading, _ in broken.unreadable) == broken.rejected_rows == 2
    readable = table[
        table["Opened"].str.fullmatch(r"2025-\d\d-\d\d \d\d:\d\d:\d\d") & (table["First response"] != "")
    ]
    readable = readable[readable["Opened"] != "2025-06-31 09:15:00"]
    assert (readable["First response"] < readable["Opened"]).sum() == broken.answered_before_opened == 2


def test_gaps_and_unfinished_tickets_are_like_a_real_export(sample: Sample) -> None:
    table, pauses = sample.tickets, sample.pauses
    assert 0.005 < (table["Category"] == "-").mean() < 0.03
    assert 0.01 < (table["Agent"] == "").mean() < 0.02
    assert 0.01 < (table["Resolved"] == "").mean() < 0.06
    assert 0.15 < (table["Score"] != "").mean() < 0.3
    assert ((table["First response"] == "") & (table["Resolved"] != "")).any()
    assert ((table["First response"] == "") & (table["Resolved"] == "")).any()
    assert (pauses["end_at"] == "").any()
    assert pauses["ticket_id"].isin(table["Ticket"]).all()
    assert (pauses["ticket_id"].duplicated()).sum() > 100
    closed = pauses[pauses["end_at"] != ""]
    assert (closed["start_at"] < closed["end_at"]).all()
    assert table["Ticket"].str.fullmatch(r"00\d{8}").all()


def test_nobody_waits_longer_than_until_the_answer(tickets: pd.DataFrame) -> None:
    until = (tickets["first_response_at"] - tickets["opened_at"]).dt.total_seconds()
    assert not (tickets["wait_seconds"] > until)[until >= 0].any()
    assert set(tickets.loc[tickets["wait_seconds"].notna(), "channel"]) == {"phone", "online"}


def test_phones_are_of_no_operator_and_one_customer_each(sample: Sample) -> None:
    assert sample.tickets["Phone"].str.fullmatch(r"154\d{8}").all()
    assert sample.tickets["Phone"].nunique() > 8_000
    names = sample.tickets.groupby("Phone")["Customer"].nunique()
    assert names.max() == 1


def test_notes_begin_with_author_date_and_metric_in_both_languages() -> None:
    for name in ("01_baseline", "05_pilot_evaluation"):
        heads = []
        for language in ("en", "zh"):
            notes = (
                (COMMITTED / "notes" / f"{name}.{language}.md").read_text(encoding="utf-8").split("\n---\n")
            )
            parts = [note.split("\n\n", 1) for note in notes]
            assert all(text.strip() for _, text in parts)
            heads.append([[line.partition(": ") for line in head.strip().splitlines()] for head, _ in parts])
        assert [[line[0] for line in head] for head in heads[0]] == [["author", "date", "metric"]] * len(
            heads[0]
        )
        assert [[line[2] for line in head[1:]] for head in heads[0]] == [
            [line[2] for line in head[1:]] for head in heads[1]
        ]
        assert all(date.fromisoformat(head[1][2]) for head in heads[0])


def test_a_folder_with_a_project_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "tickets.csv").write_text("mine")
    with pytest.raises(SettingsError) as error:
        write_sample(tmp_path, small=True)
    assert str(error.value) == (
        f"`folder` must not hold a project already, but {tmp_path} has tickets.csv. "
        "Nothing was written; name another folder."
    )
    assert [path.name for path in tmp_path.iterdir()] == ["tickets.csv"]
    assert (tmp_path / "tickets.csv").read_text() == "mine"


def evaluated(folder: Path, variant: Variant) -> tuple[PilotResult, Reading]:
    settings = read_settings(write_sample(folder, variant=variant))
    measures = load_measures(settings)
    assert settings.pilot is not None
    return pilot(measures, plan=settings.pilot, rng=np.random.default_rng(0)), measures.reading


@pytest.mark.slow
def test_pipeline_reads_the_sample_and_finds_every_planted_effect(tmp_path: Path, sample: Sample) -> None:
    result, reading = evaluated(tmp_path, "standard")
    broken = sample.truth.broken
    assert (reading.rows, reading.rejected_rows, reading.excluded) == (
        broken.rows,
        broken.rejected_rows,
        {"test_tickets": broken.excluded},
    )
    assert reading.rows == reading.used + reading.rejected_rows + sum(reading.excluded.values())
    assert sorted((reject.row, reject.column) for reject in reading.rejects) == sorted(
        (line, heading) for line, heading, _ in broken.unreadable
    )
    assert reading.flags == {"answered_before_opened": broken.answered_before_opened}
    planted = asdict(sample.truth.effect)
    found = {metric.metric: metric for metric in result.metrics if metric.metric in planted}
    assert len(found) == 5
    outside = [
        name
        for name, metric in found.items()
        if not (metric.ci_low or 0) <= planted[name] <= (metric.ci_high or 0)
    ]
    assert outside == []
    assert result.verdict == "go"


@pytest.mark.slow
def test_pipeline_measures_what_the_definitions_give(tmp_path: Path, tickets: pd.DataFrame) -> None:
    measures = load_measures(read_settings(write_sample(tmp_path)))
    first, last = (date.fromisoformat(day) for day in HISTORY)
    pooled = measures.pooled(first=first, last=last).set_index("metric")
    for name, (value, count) in rates(opened_in(tickets, HISTORY)).items():
        if name in pooled.index:
            row = pooled.loc[name]
            assert (row["numerator"] / row["denominator"], row["denominator"]) == pytest.approx(
                (value, count)
            ), name


@pytest.mark.slow
@pytest.mark.parametrize("variant", ["null", "mix_shift"])
def test_no_go_for_a_pilot_that_does_nothing(tmp_path: Path, variant: Variant) -> None:
    result, _ = evaluated(tmp_path, variant)
    assert result.verdict != "go"
    on_time = result.metrics[0]
    assert on_time.ci_low is not None
    assert on_time.ci_high is not None
    assert on_time.ci_low <= 0 <= on_time.ci_high
    if variant == "mix_shift":
        assert on_time.crude_effect is not None
        assert on_time.crude_effect > 0.03


@pytest.mark.parametrize("variant", ["standard", "null"])
def test_planted_shares_of_records_are_found(tmp_path: Path, variant: Variant) -> None:
    settings = read_settings(write_sample(tmp_path, variant=variant))
    measures = load_measures(settings)
    planted = PLAN["records"]
    # the other five required fields: gaps in two of them, which do not depend on the process
    filled = measures.reading.filled
    other = sum(filled[name] for name in ("customer_key", "severity", "team", "category", "agent"))
    expected = {
        "record_in_time": planted["written"],
        "complaint_follow_up": planted["followed_up"],
        "vague_results": planted["vague"],
        "record_completeness": [(share + other) / 6 for share in planted["customer_type"]],
        "nps": [
            100 * (up - down) for up, down in zip(planted["promoters"], planted["detractors"], strict=True)
        ],
    }
    history = {"first": date.fromisoformat(HISTORY[0]), "last": date.fromisoformat(HISTORY[1])}
    during = {"first": date.fromisoformat(PILOT[0]), "last": date.fromisoformat(PILOT[1])}
    for name, (old, new) in expected.items():
        for options, share in (
            (history, old),
            ({**during, "where": {"region": ("East China",)}}, new if variant == "standard" else old),
        ):
            row = measures.pooled(metrics=(name,), **options).iloc[0]
            n, mean = row["denominator"], row["numerator"] / row["denominator"]
            error = np.sqrt(max(row["squares"] / n - mean**2, 0) / n)
            slack = 0.001 if name == "record_completeness" else 0.0
            assert abs(mean - share) < 3.5 * error + slack, (name, options, mean, share)

"""The surveys of the sample programme hold what was planted, and the null programme holds no effect."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from csimprove.samples import Sample, programme, write_sample
from csimprove.samples.stream import PLAN
from csimprove.settings import Settings, StaffFeedback, read_settings
from csimprove.tickets import Answers, Reading, read_surveys, read_tickets
from csimprove.voice import VoiceResult, staff_feedback, voice


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return read_settings(write_sample(tmp_path_factory.mktemp("sample")))


@pytest.fixture(scope="module")
def answers(settings: Settings) -> Answers:
    return read_surveys(settings)


@pytest.fixture(scope="module")
def reading(settings: Settings) -> Reading:
    return read_tickets(settings, settings.folder / "out")


@pytest.fixture(scope="module")
def heard(settings: Settings, answers: Answers, reading: Reading) -> VoiceResult:
    return voice(answers, settings=settings, reading=reading, as_of=reading.latest)


def test_every_row_of_every_survey_is_used(answers: Answers) -> None:
    accounts = [(one.rows, one.used, one.reject_count) for one in answers.readings]
    assert accounts == [(200, 200, 0), (10, 10, 0), (20, 20, 0), (1750, 1750, 0)]


def test_two_hundred_questionnaires_have_the_planted_mean(heard: VoiceResult) -> None:
    rows = heard.of("all").set_index(["survey", "statistic"])
    row = rows.loc[("Questionnaire", "mean")]
    assert (row["n"], round(row["value"])) == (200, 65)
    assert row["ci_low"] < 65 < row["ci_high"]


def test_interviews_name_the_planted_themes(heard: VoiceResult) -> None:
    themes = heard.themes_of("Interviews with agents").set_index("theme")
    assert themes["n"].to_dict() == PLAN["surveys"]["interviews"]["themes"]
    assert set(themes["asked"]) == {10}


def test_nine_in_ten_of_the_pilots_staff_find_the_process_clearer(
    settings: Settings, answers: Answers
) -> None:
    assert settings.pilot is not None
    assert staff_feedback(answers, plan=settings.pilot) == StaffFeedback(yes=18, asked=20)


def test_every_complete_month_has_its_tenth_and_most_feedback_is_closed(heard: VoiceResult) -> None:
    samples = heard.samples
    assert samples["month"].tolist() == ["2025-07", "2025-08", "2025-09", "2025-10"]
    assert samples["complete"].tolist() == [True, True, True, False]
    assert samples.loc[samples["complete"].astype(bool), "enough"].all()
    row = heard.feedback.set_index("survey").loc["Customer survey"]
    assert row["ci_low"] < PLAN["surveys"]["customers"]["closed"] < row["ci_high"]


def nps(sample: Sample) -> tuple[float, float]:
    table = sample.surveys["customers"]
    score = table["score"].astype(int)
    points = (score >= 9) * 1.0 - (score <= 6)
    early = table["date"] < "2025-08-01"
    return points[early].mean(), points[table["date"] >= "2025-10-01"].mean()


def test_customers_recommend_more_with_the_new_process_and_not_without_it() -> None:
    before, after = nps(programme())
    assert after - before > 0.3
    before, after = nps(programme(variant="null"))
    assert abs(after - before) < 0.15


def test_a_small_programme_and_a_chinese_one_hold_the_same() -> None:
    english, chinese = programme(small=True), programme(small=True, language="zh")
    assert english.surveys["staff"]["score"].value_counts().to_dict() == {"yes": 18, "no": 2}
    assert chinese.surveys["staff"]["得分"].value_counts().to_dict() == {"是": 18, "否": 2}
    assert len(english.surveys["customers"]) == 350


def test_comments_hold_people_and_numbers_to_be_masked(settings: Settings, heard: VoiceResult) -> None:
    raw = (Path(settings.folder) / "surveys" / "customers.csv").read_text(encoding="utf-8")
    assert all(mark in raw for mark in ("@example.com", "990101", "6299", "154"))
    shown = " ".join(comment.text for comment in heard.comments)
    assert len(heard.comments) > 200
    assert not [mark for mark in ("@", "990101", "6299", "154") if mark in shown]


def test_the_baseline_hears_what_came_before_the_pilot(
    settings: Settings, answers: Answers, reading: Reading
) -> None:
    as_of = datetime(2025, 10, 26, tzinfo=UTC)
    early = voice(answers, settings=settings, reading=reading, as_of=as_of, before_pilot=True)
    assert set(early.of("all")["survey"]) == {"Questionnaire", "Customer survey"}
    assert early.last is not None
    assert early.last.isoformat() < "2025-08-25"

"""Blocks, words and figures about surveys, and the ranking of problems."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from csimprove import charts, report, wording
from csimprove.charts import theme
from csimprove.errors import Failure
from csimprove.tickets import ColumnNote, SurveyReading
from csimprove.voice import Comment, Remark, VoiceResult
from made_results import BASELINE
from test_charts import faults
from test_voice import said

#: Nine causes of 54 coded complaints.
RANKED = [
    ("complaints", "cause", f"Cause {n}", 10 - n, 54, 60, (10 - n) / 54, 0.01, 0.4, float("nan"))
    for n in range(9)
]


def result(folder: Path) -> VoiceResult:
    lines = "".join(
        f"2025-0{7 + n % 2}-{1 + n // 2:02} 10:00,{'BAA'[n % 3]},{n % 11},{'' if n % 4 else 'wait'},x,\n"
        for n in range(44)
    )
    text = "date,team,score,theme,comment,closed_at\n" + lines
    made = said(
        folder, text, scale="0-10", question="Recommend?", monthly_share=0.1, customers={"2025-07": 100}
    )
    comment = Comment("Asked", date(2025, 8, 1), "", ("wait",), "too … long")
    return replace(made, comments=(comment,), remarks=(Remark("no_zero", "Asked", "Recommend?"),))


def lines(block: Any) -> list[list[str]]:
    return [re.split(r" {2,}", line) for line in repr(block).splitlines()]


def test_questions_say_what_their_scale_allows(tmp_path: Path) -> None:
    rows = lines(report.satisfaction_table(result(tmp_path)))
    assert rows[0] == ["What customers and staff answered"]
    assert rows[2] == [
        "Recommend? (Asked, customers)",
        "0 to 10",
        "44",
        "5.0 (4.0 to 6.0)",
        "50.0 (40.3 to 59.7)",
        "NPS −45.5 (−69.5 to −21.4)",
    ]
    assert rows[-1] == ["Recommend?: nobody gave a 0 on a scale from 0; if it began at 1, declare that."]


def test_the_headline_speaks_of_the_latest_month(tmp_path: Path) -> None:
    made = result(tmp_path)
    (_, last) = wording.main_figures(made.of("month"))
    assert wording.voice_headline(made) == (
        f"Recommend? {wording.said_figure(last)} ({wording.score_text(last)[1]}) from 22 answers in Aug 2025"
    )
    assert wording.voice_headline(made, "zh").startswith("Recommend?2025年8月净推荐值")
    only_themes = replace(made, figures=made.figures.iloc[:0])
    assert wording.voice_headline(only_themes) == "wait is what most people name: 11 of 44"
    assert (
        wording.voice_headline(replace(only_themes, themes=made.themes.iloc[:0])) == "Nobody has answered yet"
    )


def test_months_groups_samples_feedback_and_comments(tmp_path: Path) -> None:
    made = result(tmp_path)
    months = lines(report.voice_cut_table(made, "month"))
    assert [row[0] for row in months[2:4]] == ["Jul 2025", "Aug 2025"]
    assert [row[0] for row in lines(report.voice_cut_table(made, "group"))[2:4]] == ["A", "B"]
    assert lines(report.samples_table(made))[:3] == [
        ["1 of 1 complete months reach the sample asked for"],
        ["Month", "Answered", "Customers served", "Share", "State"],
        ["Jul 2025 (Asked)", "22", "100", "22.0%", "enough"],
    ]
    assert lines(report.feedback_table(made))[2] == ["Asked", "44", "11", "0.0% (0.0 to 8.0; 0 of 44)"]
    assert lines(report.comments_table(made))[2] == ["1 Aug 2025", "too … long", "wait", "not stated"]


def test_what_is_not_there_is_one_line_and_no_empty_table(tmp_path: Path) -> None:
    made = result(tmp_path)
    empty = {name: getattr(made, name).iloc[:0] for name in ("figures", "themes", "samples", "feedback")}
    none = replace(made, comments=(), readings=(), remarks=(), **empty)
    blocks = [
        report.satisfaction_table(none),
        report.voice_cut_table(none, "month"),
        report.voice_cut_table(none, "group"),
        report.themes_table(replace(none, readings=made.readings)),
        report.samples_table(none),
        report.feedback_table(none),
        report.comments_table(none),
        report.ranking_table(replace(BASELINE, ranking=BASELINE.ranking.iloc[:0])),
        report.goals_table(replace(BASELINE, goals=())),
    ]
    assert [block.plain.splitlines()[0] for block in blocks if "<table" in block.html] == []
    assert all(len(block.plain.splitlines()) <= 2 for block in blocks)
    # without any survey one line says so, not one a table
    assert (report.themes_table(none).plain, report.surveys_table(()).plain) == ("", "")
    assert charts.voice_themes(none) is None
    assert wording.voice_themes(none)["title"] == "Themes: no answer is classed"


def test_themes_are_drawn_with_their_intervals(tmp_path: Path) -> None:
    made = result(tmp_path)
    figure = charts.voice_themes(made)
    assert figure is not None
    (bar,) = figure.axes[0].patches
    row = made.themes.iloc[0]
    assert (bar.get_x(), bar.get_width()) == pytest.approx((row["ci_low"], row["ci_high"] - row["ci_low"]))
    texts = [text.get_text() for text in figure.texts]
    assert {"wait", "25.0%", "11 of 44"} <= set(texts)
    phone = charts.at_width(figure, charts.PHONE)
    assert sorted(text.get_text() for text in phone.texts) == sorted(texts)
    bases = {text.get_text(): text.get_position()[1] * phone.bbox.height for text in phone.texts}
    assert bases["wait"] - bases["25.0%"] == pytest.approx(theme.ABOVE)
    assert bases["11 of 44"] == bases["wait"]
    assert wording.voice_themes(made)["alt"].endswith("From most to least named: wait 25.0%.")
    assert lines(report.themes_table(made))[2] == [
        "wait (Asked, customers)",
        "11 of 44",
        "25.0%",
        "14.6 to 39.4",
    ]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_words_of_themes_overlap_at_any_width(tmp_path: Path, language: Any) -> None:
    made = result(tmp_path)
    long = (
        "The hotline could not be reached at peak hours by far",
        "高峰时段热线电话长时间无法接通" * 2,
        "wait",
    )
    row = made.themes.iloc[[0]].assign(n=12_345, asked=23_456, ci_high=1.0)
    many = replace(made, themes=pd.concat([row.assign(theme=name) for name in long], ignore_index=True))
    figure = charts.voice_themes(many, language=language)
    assert figure is not None
    for width in (charts.PAGE, charts.SLIDE, charts.PHONE):
        assert faults(charts.at_width(figure, width)) == [], width


def test_surveys_account_for_every_row_and_show_what_could_not_be_read() -> None:
    reject = Failure("score", 3, "1…0", "must be a number from 1 to 5. The row is left out.")
    reading = SurveyReading("Asked", "a.csv", "0" * 64, 9, 6, 1, 2, (reject,), 1, ("date", "score"))
    rows = lines(report.surveys_table((reading,)))
    assert rows[:3] == [
        ["Surveys: 6 of 9 rows read are used"],
        ["Survey", "Read", "Rejected", "Empty", "Used"],
        ["Asked (a.csv)", "9", "1", "2", "6"],
    ]
    assert rows[-1] == ["Asked", "3", "score", "1…0", "must be a number from 1 to 5. The row is left out."]


def test_problems_are_ranked_with_intervals_and_the_rest_is_counted() -> None:
    names = ["kind", "cut", "group", "n", "coded", "total", "share", "ci_low", "ci_high", "usual"]
    ranked = replace(BASELINE, ranking=pd.DataFrame(RANKED, columns=names))
    rows = lines(report.ranking_table(ranked))
    assert rows[0] == ["18.5% of complaints have one cause: Cause 0"]
    assert rows[3] == ["Cause 0", "10", "18.5%", "1.0 to 40.0", "–"]
    assert rows[9] == ["all others", "9", "16.7%"]
    assert "Cause stated for 54 of 60." in repr(report.ranking_table(ranked))
    assert "投诉的18.5%出于一个原因：Cause 0" in repr(report.ranking_table(ranked, language="zh"))


def test_the_quality_page_says_what_is_done_about_each_flag_and_what_texts_meant() -> None:
    notes = (
        ColumnNote("no_value", "resolved_at", "1900-01-01 00:00:00", "", 860),
        ColumnNote("renamed", "channel", "QQ", "qq", 12),
        ColumnNote("month_first", "opened_at", "", "", 261),
        ColumnNote("not_read", "Resolution time", "hours", "", 9),
    )
    flags = {"answered_before_opened": 2, "dominant_customer": 944, "rejected_pause": 1}
    reading = replace(BASELINE.reading, flags=flags, notes=notes)
    rows = lines(report.quality_table(reading))
    assert ["answered before it was opened", "2", "counted as 0 seconds"] in rows
    assert ["pause whose times cannot be read", "1", "left out"] in rows
    assert ["resolved", "1900-01-01 00:00:00", "no value", "860"] in rows
    assert ["channel", "QQ", "qq", "12"] in rows
    assert ["Resolution time", "whole hours beside columns in minutes", "not read", "9"] in rows
    assert [
        "opened",
        "like 12/31/2025, beside times with the year first",
        "a time with the month first",
        "261",
    ] in rows


@pytest.mark.parametrize("language", ["en", "zh"])
def test_masthead_names_answers_surveys_and_data_date(tmp_path: Path, language: Any) -> None:
    made = replace(result(tmp_path), as_of=datetime(2025, 9, 15, tzinfo=UTC))
    plain = report.voice_masthead(made, language=language).plain
    assert "44" in plain
    assert wording.voice_period(made, language) in plain

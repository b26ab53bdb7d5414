"""What was said, counted by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from csimprove import inference
from csimprove.errors import SettingsError
from csimprove.settings import Settings, StaffFeedback
from csimprove.tickets import Reading, read_surveys
from csimprove.voice import Remark, VoiceResult, staff_feedback, voice

PLAN = {
    "pilot": ["East"],
    "control": ["West"],
    "before": ["2025-07-01", "2025-07-31"],
    "during": ["2025-08-10", "2025-08-31"],
    "minimum_gain": {"response_on_time": 0.05, "first_contact_resolution": 0.05},
}


def reading(customers: dict[str, int] | None = None) -> Reading:
    moment = datetime(2025, 7, 1, tzinfo=UTC)
    given: dict[str, Any] = dict.fromkeys(Reading.__dataclass_fields__)
    given |= {"first_opened": moment, "last_opened": moment, "latest": moment, "customers": customers or {}}
    return Reading(**given)


def project(folder: Path, text: str, plan: dict[str, Any] | None = None, **survey: Any) -> Settings:
    (folder / "a.csv").write_text(text, encoding="utf-8")
    data: dict[str, Any] = {"project": "x", "source": {"path": "t.csv"}, "pilot": plan}
    surveys = [{"name": "Asked", "path": "a.csv"} | survey]
    return Settings.model_validate({**data, "surveys": surveys, "file": folder / "playbook.toml"})


def said(folder: Path, text: str, *, customers: dict[str, int] | None = None, **survey: Any) -> VoiceResult:
    settings = project(folder, text, **survey)
    as_of = datetime(2025, 9, 15, tzinfo=UTC)
    return voice(read_surveys(settings), settings=settings, reading=reading(customers), as_of=as_of)


def figures(result: VoiceResult, cut: str = "all") -> dict[str, tuple[int, float]]:
    rows = result.of(cut).to_dict("records")
    return {row["statistic"]: (row["n"], round(row["value"], 4)) for row in rows}


def scores(*values: object) -> str:
    return "date,score\n" + "".join(f"2025-08-{1 + n % 28:02},{value}\n" for n, value in enumerate(values))


@pytest.mark.parametrize(
    ("scale", "given", "expected"),
    [
        ("0-100", (60, 70), {"mean": (2, 65.0)}),
        ("1-5", (5, 4, 2, 1), {"mean": (4, 3.0), "csi": (4, 50.0), "top_two": (4, 0.5)}),
        ("1-7", (7, 6, 5), {"mean": (3, 6.0), "csi": (3, 83.3333), "top_two": (3, 0.6667)}),
        ("0-10", (10, 9, 8, 6), {"mean": (4, 8.25), "csi": (4, 82.5), "nps": (4, 25.0)}),
        ("1-10", (10, 1), {"mean": (2, 5.5), "csi": (2, 50.0)}),
        ("yes/no", ("yes", "no", "是", 1), {"yes": (4, 0.75)}),
    ],
)
def test_a_scale_says_what_can_be_told(
    tmp_path: Path, scale: str, given: tuple[object, ...], expected: dict[str, tuple[int, float]]
) -> None:
    assert figures(said(tmp_path, scores(*given), scale=scale)) == expected


def test_intervals_are_wilson_for_shares_and_t_for_the_rest(tmp_path: Path) -> None:
    given = [10] * 20 + [8] * 10 + [3] * 10
    rows = said(tmp_path, scores(*given), scale="0-10").of("all").set_index("statistic")
    low, high = inference.mean_interval(20 - 10, 20 + 10, 40)
    assert rows.loc["nps", ["ci_low", "ci_high"]].tolist() == pytest.approx([100 * low, 100 * high])
    low, high = inference.mean_interval(sum(given), sum(one**2 for one in given), 40)
    assert rows.loc["csi", ["ci_low", "ci_high"]].tolist() == pytest.approx([10 * low, 10 * high])
    rows = said(tmp_path, scores("yes", "yes", "no"), scale="yes/no").of("all").set_index("statistic")
    assert rows.loc["yes", ["ci_low", "ci_high"]].tolist() == pytest.approx(
        [*map(float, inference.wilson(2, 3))]
    )
    assert rows.loc["yes", "thin"]


def test_groups_and_months_are_told_where_there_are_two(tmp_path: Path) -> None:
    text = "date,team,score\n2025-08-01,A,4\n2025-08-02,B,2\n2025-09-01,,5\n"
    result = said(tmp_path, text, scale="0-100")
    assert result.of("group")[["group", "n", "value"]].to_numpy().tolist() == [["A", 1, 4.0], ["B", 1, 2.0]]
    assert result.of("month")[["group", "n", "value"]].to_numpy().tolist() == [
        ["2025-08", 2, 3.0],
        ["2025-09", 1, 5.0],
    ]
    assert said(tmp_path, scores(1, 2), scale="0-100").of("month").empty


def test_two_scales_of_one_question_are_never_pooled(tmp_path: Path) -> None:
    text = "date,score,scale\n2025-08-01,5,1-5\n2025-08-02,10,0-10\n"
    result = said(tmp_path, text, question="Happy?")
    assert result.of("all")["n"].tolist() == [1] * 6
    assert result.remarks == (Remark("several_scales", "Asked", "Happy?"),)


def test_a_scale_from_0_without_a_0_is_noted(tmp_path: Path) -> None:
    codes = [one.code for one in said(tmp_path, scores(*[1, 10] * 15), scale="0-10").remarks]
    assert codes == ["no_zero"]
    assert said(tmp_path, scores(*[0, 10] * 15), scale="0-10").remarks == ()


def test_themes_are_counted_by_people(tmp_path: Path) -> None:
    named = (("A", "x"), ("A", "x;y"), ("B", "x"), ("C", ""), ("D", "z"))
    text = "date,respondent,theme\n" + "".join(f"2025-08-01,{who},{theme}\n" for who, theme in named)
    result = said(tmp_path, text, role="staff")
    assert result.themes[["theme", "n", "asked", "share"]].to_numpy().tolist() == [
        ["x", 2, 4, 0.5],
        ["y", 1, 4, 0.25],
        ["z", 1, 4, 0.25],
    ]
    assert result.themes["ci_low"][0] == pytest.approx(float(inference.wilson(2, 4)[0]))
    with pytest.raises(SettingsError) as caught:
        result.themes_of("Askd")
    assert str(caught.value) == "`survey` must be one with themes (Asked), not 'Askd'."


def test_the_sample_of_each_month_against_the_customers_served(tmp_path: Path) -> None:
    text = "date,respondent,score\n2025-08-01,A,1\n2025-08-02,A,1\n2025-08-31 23:00,B,1\n2025-09-01,C,1\n"
    served = {"2025-07": 9, "2025-08": 20, "2025-09": 11}
    result = said(tmp_path, text, scale="1-5", monthly_share=0.10, customers=served)
    columns = ["month", "answered", "served", "enough", "complete"]
    assert result.samples[columns].to_numpy().tolist() == [
        ["2025-08", 2, 20, True, True],
        ["2025-09", 1, 11, False, False],
    ]
    assert said(tmp_path, text, scale="1-5", customers=served).samples.empty


def test_feedback_closed_within_a_day_of_those_old_enough(tmp_path: Path) -> None:
    text = (
        "date,score,theme,comment,closed_at\n"
        "2025-08-01 09:00,1,slow,x,2025-08-02 09:00\n"
        "2025-08-01 09:00,1,,x,2025-08-02 09:01\n"
        "2025-08-01 09:00,1,,x,\n"
        "2025-09-14 09:00,1,slow,,2025-09-14 10:00\n"
        "2025-08-01 09:00,1,,,\n"
    )
    (row,) = said(tmp_path, text, scale="1-5").feedback.to_dict("records")
    assert [row[name] for name in ("n", "classed", "decided", "in_time")] == [4, 2, 3, 1]
    days = text.replace(" 09:00,1", ",1")
    assert pd.isna(said(tmp_path, days, scale="1-5").feedback["decided"][0])  # a day cannot tell 24 h


def test_the_baseline_hears_only_what_came_before_the_pilot(tmp_path: Path) -> None:
    text = "date,score\n2025-08-09,1\n2025-08-10,5\n2025-09-16,5\n"
    settings = project(tmp_path, text, PLAN, scale="1-5")
    given: dict[str, Any] = {"settings": settings, "reading": reading()}
    as_of = datetime(2025, 9, 15, tzinfo=UTC)
    heard = read_surveys(settings)
    assert figures(voice(heard, as_of=as_of, before_pilot=True, **given))["mean"] == (1, 1.0)
    result = voice(heard, as_of=as_of, **given)
    assert figures(result)["mean"] == (2, 3.0)  # the last answer lies after as_of
    plain = result.to_dict()
    assert (plain["first"], plain["figures"][0]["n"], plain["comments"]) == ("2025-08-09", 2, [])


def test_the_pilots_staff_are_counted_from_a_survey(tmp_path: Path) -> None:
    text = (
        "date,group,score\n2025-08-09,East,1\n2025-08-10,East,5\n2025-08-20,East,4\n2025-08-20,East,3\n"
        "2025-08-20,West,1\n"
    )
    given = {"role": "staff", "question": "Clearer?", "scale": "1-5"}
    settings = project(tmp_path, text, PLAN | {"staff_question": "Clearer?"}, **given)
    heard = read_surveys(settings)
    assert settings.pilot is not None
    assert staff_feedback(heard, plan=settings.pilot) == StaffFeedback(yes=2, asked=3)
    byhand = settings.pilot.model_copy(
        update={"staff_question": None, "staff_feedback": StaffFeedback(yes=1, asked=2)}
    )
    assert staff_feedback(heard, plan=byhand) == StaffFeedback(yes=1, asked=2)
    wrong = settings.pilot.model_copy(update={"staff_question": "Cleaner?"})
    with pytest.raises(SettingsError) as caught:
        staff_feedback(heard, plan=wrong)
    assert str(caught.value) == (
        "`pilot.staff_question` must be a question that staff answered, not 'Cleaner?'; "
        "did you mean Clearer??"
    )
    both = wrong.model_copy(update={"staff_feedback": StaffFeedback(yes=1, asked=2)})
    assert "`staff_feedback` must not stand beside `staff_question`: the answers count once" in both.problems


def test_a_scale_without_a_favourable_side_cannot_tell_who_agrees(tmp_path: Path) -> None:
    text = "date,score\n2025-08-20,60\n"
    given = {"role": "staff", "question": "Clearer?", "scale": "0-100"}
    settings = project(tmp_path, text, PLAN | {"staff_question": "Clearer?"}, **given)
    assert settings.pilot is not None
    with pytest.raises(SettingsError, match="must be asked as yes/no or on 4 to 7 points"):
        staff_feedback(read_surveys(settings), plan=settings.pilot)

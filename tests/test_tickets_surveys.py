"""Answers: every row accounted for, every mistake told, no clear name."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csimprove.errors import TicketDataError
from csimprove.settings import Settings
from csimprove.tickets import Answers, read_surveys
from test_tickets_sources import cells, workbook


def project(folder: Path, text: str, **survey: Any) -> Settings:
    (folder / "a.csv").write_text(text, encoding="utf-8")
    surveys = [{"name": "Asked", "path": "a.csv"} | survey]
    data = {"project": "x", "source": {"path": "t.csv", "columns": {"ticket_id": "id", "opened_at": "at"}}}
    return Settings.model_validate({**data, "surveys": surveys, "file": folder / "playbook.toml"})


def answers(folder: Path, text: str, **survey: Any) -> Answers:
    return read_surveys(project(folder, text, **survey))


def message(folder: Path, text: str, **survey: Any) -> str:
    with pytest.raises(TicketDataError) as caught:
        answers(folder, text, **survey)
    return str(caught.value)


def test_an_answer_with_everything(tmp_path: Path) -> None:
    text = (
        "Date,Team,Role,Respondent,Question,Score,Scale,Theme,Comment,Closed_at\n"
        "2025-08-01 09:30,East 1,staff,Ann Lee,Clear?,yes,yes/no,forms; waiting;forms,Long,2025-08-01 12:00\n"
    )
    read = answers(tmp_path, text)
    (row,) = read.frame.drop(columns=["respondent", "date", "closed_at"]).to_dict("records")
    assert row == {
        "survey": "Asked",
        "row": 2,
        "clock": True,
        "group": "East 1",
        "role": "staff",
        "question": "Clear?",
        "score": 1.0,
        "low": 0.0,
        "high": 1.0,
        "themes": ("forms", "waiting"),
        "commented": True,
        "comment": "",
    }
    assert read.frame["date"][0] == pd.Timestamp("2025-08-01 09:30")
    assert read.frame["closed_at"][0] == pd.Timestamp("2025-08-01 12:00")
    assert len(read.frame["respondent"][0]) == 12
    assert "Ann" not in str(read)


def test_what_a_file_does_not_say_is_said_in_the_settings(tmp_path: Path) -> None:
    text = "日期;班组;得分;意见\n2025年8月1日;华东1组;4;慢\n2025/8/2;;5;\n"
    read = answers(tmp_path, text, role="staff", question="满意吗？", scale="1-5")
    assert read.frame[["group", "role", "question", "score", "high"]].to_numpy().tolist() == [
        ["华东1组", "staff", "满意吗？", 4.0, 5.0],
        ["", "staff", "满意吗？", 5.0, 5.0],
    ]
    assert read.readings[0].columns == ("date", "group", "score", "comment")


def test_a_workbook_reads_like_text(tmp_path: Path) -> None:
    workbook(
        tmp_path / "a.xlsx",
        {"S": [cells("date", "score"), cells((45870.0, 1), 7.0), cells("2025-08-02", 9.5)]},
    )
    made = project(tmp_path, "", scale="0-10")
    survey = made.surveys[0].model_copy(update={"path": "a.xlsx"})
    read = read_surveys(made.model_copy(update={"surveys": (survey,)}))
    assert read.frame["score"].tolist() == [7.0, 9.5]
    assert read.frame["date"].tolist() == [pd.Timestamp("2025-08-01"), pd.Timestamp("2025-08-02")]


def test_every_bad_value_is_listed_masked_and_its_row_left_out(tmp_path: Path) -> None:
    text = (
        "date,role,score,respondent\n"
        "2025-08-01,customer,4,\n"
        "soon,boss,6,\n"
        "2025-08-03,,13800138000,\n"
        ",,,\n"
        "2025-08-04,,,\n"
        "2025-08-05,,,P1\n"
    )
    (reading,) = answers(tmp_path, text, scale="1-5").readings
    assert (reading.rows, reading.used, reading.rejected_rows, reading.empty) == (5, 2, 2, 1)
    assert [str(reject) for reject in reading.rejects] == [
        "column 'date', row 3: must be a day such as 2025-03-31, or in one of `formats`. The row is left "
        "out. Value: 's…n'.",
        "column 'role', row 3: must be customer or staff. The row is left out. Value: 'b…s'.",
        "column 'score', row 3: must be a number from 1 to 5. The row is left out. Value: '6'.",
        "column 'score', row 4: must be a number from 1 to 5. The row is left out. Value: '1…0'.",
    ]
    assert reading.reject_count == 4


def test_a_score_without_a_declared_scale_is_refused(tmp_path: Path) -> None:
    assert message(tmp_path, "date,score\n2025-08-01,4\n") == (
        "a.csv cannot be used:\n"
        "  file: holds no answer: 1 rows are rejected, 0 are empty.\n"
        "  column 'scale', row 2: must be declared, such as \"1-5\": set `scale` under [[surveys]]. "
        "The row is left out."
    )


def test_day_and_month_are_never_guessed(tmp_path: Path) -> None:
    text = "date,score\n05/03/2025,4\n"
    assert "column 'date', row 2: must be a day such as 2025-03-31" in message(tmp_path, text, scale="1-5")
    read = answers(tmp_path, text, scale="1-5", formats=["%d/%m/%Y"])
    assert read.frame["date"].tolist() == [pd.Timestamp("2025-03-05")]


def test_what_is_missing_in_every_file_is_told_at_once(tmp_path: Path) -> None:
    made = project(tmp_path, "day,points\n2025-08-01,4\n", columns={"score": "point"})
    other = made.surveys[0].model_copy(update={"name": "Other", "path": "gone.csv"})
    with pytest.raises(TicketDataError) as caught:
        read_surveys(made.model_copy(update={"surveys": (*made.surveys, other)}))
    assert str(caught.value) == (
        "a.csv, gone.csv cannot be used:\n"
        "  column 'a.csv: date': is missing (did you mean 'day'? `date` needs it). "
        "Correct `columns` under [[surveys]].\n"
        "  column 'a.csv: point': is missing (did you mean 'points'? `score` needs it). "
        "Correct `columns` under [[surveys]].\n"
        "  column 'gone.csv': must be a file. Correct `path` under [[surveys]]: "
        f"there is no file {tmp_path}/gone.csv."
    )
    assert "must have a column score, theme or comment, not only date, who" in message(
        tmp_path, "date,who\n1,2\n"
    )


def test_comments_are_off_by_default_and_masked_when_on(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(
        "id,at,who\n1,2024-01-01,李娜\n2,2024-01-01,Zoë Quill\n", encoding="utf-8"
    )
    text = (
        "date,respondent,comment\n"
        "2025-08-01,Bo Chen,Zoë told 李娜 and Bo to ring 8765 4321\n"
        "2025-08-01,,我是张小明，邮箱zhang@example.com，卡6222 0212 3456 7890 123\n"
    )
    assert answers(tmp_path, text).frame["comment"].tolist() == ["", ""]
    made = project(tmp_path, text, comments=True)
    source = made.source.model_copy(update={"names": ("who",)})
    read = read_surveys(made.model_copy(update={"source": source}))
    assert read.frame["comment"].tolist() == [
        "… told … and Bo to ring …",  # a name of two letters cannot be told from a word
        "我是…，邮箱…，卡…",
    ]


DAMAGE = st.sampled_from(['"', ",", "", "\n", "x", "13800138000", "张小明", ";", "99"])


@settings(max_examples=40, deadline=None)
@given(cuts=st.lists(st.tuples(st.integers(0, 7), st.integers(0, 40), DAMAGE), max_size=6))
def test_whatever_the_damage_every_answer_is_accounted_for(cuts: list[tuple[int, int, str]]) -> None:
    lines = [f"2025-08-0{1 + n} 10:00,East,{1 + n % 5},P{n},slow" for n in range(8)]
    for n, place, text in cuts:
        lines[n] = lines[n][:place] + text + lines[n][place:]
    with tempfile.TemporaryDirectory() as name:
        told, read = "", None
        try:
            text = "date,region,score,respondent,theme\n" + "\n".join(lines)
            read = answers(Path(name), text, scale="1-5")
        except TicketDataError as error:
            told = str(error)
    if read is not None:
        (reading,) = read.readings
        assert reading.rows == reading.used + reading.rejected_rows + reading.empty
        assert reading.used == len(read.frame)
        assert reading.rejected_rows <= reading.reject_count
        told = str(reading) + read.frame.to_string()
    assert "13800138000" not in told

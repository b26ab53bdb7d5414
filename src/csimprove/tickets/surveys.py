"""Answers of customers and staff: questionnaires, interviews, feedback, with the manners of the tickets."""

from __future__ import annotations

import csv
import hashlib
import math
import tempfile
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, get_args

import pandas as pd

from csimprove.errors import Failure, TicketDataError
from csimprove.plain import Plain
from csimprove.settings import ANSWERS, Role, Settings, Survey, nearest, parse_scale
from csimprove.tickets.files import SourceFile, normal, open_source
from csimprove.tickets.loading import KEPT_REJECTS
from csimprove.tickets.masking import hide_contacts, hide_people, mask, project_key
from csimprove.tickets.parsing import ISO_FORMATS
from csimprove.tickets.reader import names_of_people

#: Chinese headings that are known without being mapped; ``team`` and ``region`` are groups, too.
_HEADINGS = {
    "date": ("日期", "时间"),
    "group": ("team", "region", "班组", "区域", "团队", "地区"),
    "role": ("角色", "身份"),
    "respondent": ("受访者", "受访人"),
    "question": ("问题", "题目"),
    "score": ("得分", "评分", "分数"),
    "scale": ("量表", "分值范围"),
    "theme": ("主题", "themes"),
    "comment": ("意见", "评论", "建议"),
    "closed_at": ("闭环时间", "反馈时间"),
}
_ROLES = {role: role for role in get_args(Role)} | {"客户": "customer", "员工": "staff", "坐席": "staff"}
_YES_NO = {**dict.fromkeys(("yes", "y", "true", "是"), 1.0), **dict.fromkeys(("no", "n", "false", "否"), 0.0)}
_FORMATS = (*ISO_FORMATS, "%Y年%m月%d日", "%Y年%m月%d日 %H:%M")
#: What parts the themes of one answer.
_BETWEEN = str.maketrans("；|\n", ";;;")


@dataclass(frozen=True, slots=True)
class SurveyReading(Plain):
    """Account of one survey: ``rows == used + rejected_rows + empty``.

    Parameters
    ----------
    survey, source, sha256
        Name, file and the hash of its bytes.
    rows, used, rejected_rows
        Rows of the file, those that are answers, and those with a value that cannot be used.
    empty
        Rows without score, theme, comment and respondent: nobody answered.
    rejects, reject_count
        Values that could not be used, masked, at most `KEPT_REJECTS`; all of them.
    columns
        Columns that the file has.
    """

    survey: str
    source: str
    sha256: str
    rows: int
    used: int
    rejected_rows: int
    empty: int
    rejects: tuple[Failure, ...]
    reject_count: int
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """The answers of all surveys.

    Parameters
    ----------
    frame
        One row an answer: ``survey``, ``row`` (its line), ``date`` and ``closed_at`` (as they stand in the
        file, local), ``clock`` (whether the date has a time of day), ``group``, ``role``, ``question``,
        ``respondent`` (a keyed pseudonym; the row's own where nobody is named), ``score``, ``low`` and
        ``high`` (its scale; NaN without a score), ``themes`` (a tuple), ``commented`` (whether somebody
        typed something) and ``comment`` (masked; ``""`` unless asked for).
    readings
        What was read of each survey.
    """

    frame: pd.DataFrame
    readings: tuple[SurveyReading, ...] = ()


_COLUMNS = (
    "survey", "row", "date", "closed_at", "clock", "group", "role", "question", "respondent",
    "score", "low", "high", "themes", "commented", "comment",
)  # fmt: skip


def read_surveys(settings: Settings) -> Answers:
    """Read the answers of every survey that the settings name.

    Parameters
    ----------
    settings
        The project; ``surveys`` say where the files are.

    Returns
    -------
    Answers
        One row an answer, and what became of every row. Without surveys it is empty.

    Raises
    ------
    TicketDataError
        If a file cannot be used, with every reason of every file.

    Notes
    -----
    A row is rejected if its date, score, scale or role cannot be read or the score lies outside its scale; a
    row that holds neither an answer nor a respondent is counted as empty. Comments are kept only where
    ``comments = true``, and are masked (`csimprove.tickets.masking.hide_people`) before anything else sees
    them; names known from the ticket export and from the respondents are looked for in them.

    Examples
    --------
    >>> read_surveys(Settings.model_validate({"project": "x", "source": {"path": "x.csv"}})).frame.empty
    True
    """
    rows: list[dict[str, Any]] = []
    readings: list[SurveyReading] = []
    failures: list[Failure] = []
    labels = [Path(survey.path).name for survey in settings.surveys]
    for survey in settings.surveys:
        try:
            found, reading = _read(survey, settings)
            rows += found
            readings.append(reading)
        except TicketDataError as error:
            many = f"{error.source}: " if len(labels) > 1 else ""
            failures += [replace(each, column=f"{many}{each.column}".rstrip(": ")) for each in error.failures]
    if failures:
        raise TicketDataError(", ".join(dict.fromkeys(labels)), failures)
    frame = pd.DataFrame(rows, columns=list(_COLUMNS))
    for name in ("date", "closed_at"):
        frame[name] = frame[name].astype("datetime64[s]")
    for name in ("score", "low", "high"):
        frame[name] = frame[name].astype(float)
    return Answers(frame, tuple(readings))


def _read(survey: Survey, settings: Settings) -> tuple[list[dict[str, Any]], SurveyReading]:
    with tempfile.TemporaryDirectory(prefix=".reading-") as scratch:
        file = _opened(survey, settings, Path(scratch))
        places = _places(survey, file)
        with file.text.open(encoding="utf-8-sig", newline="") as opened:
            records = list(_records(csv.reader(opened, delimiter=file.delimiter), places))
    names: set[str] = set()
    if survey.comments and "comment" in places:
        full = {*names_of_people(settings), *(record.get("respondent", "") for _, record in records)} - {""}
        names = full | {word for name in full for word in name.split() if len(word) > 2 and word.isalpha()}
    rows: list[dict[str, Any]] = []
    rejects: list[Failure] = []
    rejected = empty = 0
    key = project_key(settings.folder)
    for number, record in records:
        if not any(record.get(name) for name in ("score", "theme", "comment", "respondent")):
            empty += 1
            continue
        row, faults = _answer(survey, record, number=number, key=key, names=names)
        rejected += bool(faults)
        rows += [] if faults else [row]
        for name, text, rule in faults:
            column = file.headings[places[name]] if name in places else name
            rejects.append(Failure(column, number, mask(text), f"{rule}. The row is left out."))
    if not rows:
        what = f"holds no answer: {rejected} rows are rejected, {empty} are empty."
        raise TicketDataError(file.name, [Failure("", None, "", what), *rejects])
    return rows, SurveyReading(
        survey=survey.name,
        source=file.name,
        sha256=file.sha256,
        rows=len(records),
        used=len(rows),
        rejected_rows=rejected,
        empty=empty,
        rejects=tuple(rejects[:KEPT_REJECTS]),
        reject_count=len(rejects),
        columns=tuple(places),
    )


def _opened(survey: Survey, settings: Settings, scratch: Path) -> SourceFile:
    wanted = [*ANSWERS, *survey.columns.values(), *(one for group in _HEADINGS.values() for one in group)]
    try:
        file = open_source(settings.path(survey.path), table=survey.table, wanted=wanted, scratch=scratch)
    except TicketDataError as error:  # the advice for tickets names their table
        said = [replace(one, reason=one.reason.replace("[source]", "[[surveys]]")) for one in error.failures]
        raise TicketDataError(error.source, said) from None
    if file.types:
        raise TicketDataError(file.name, [Failure("", None, "", "must be CSV or XLSX. Save it as one.")])
    return file


def _records(lines: Iterator[list[str]], places: dict[str, int]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the number of each row that is not blank, and its texts by column."""
    next(lines)
    for number, line in enumerate(lines, start=2):
        if any(cell.strip() for cell in line):
            cells = {name: line[place].strip() for name, place in places.items() if place < len(line)}
            yield number, cells


def _places(survey: Survey, file: SourceFile) -> dict[str, int]:
    """Find the columns, raising everything that is not there."""
    loose = [normal(heading) for heading in file.headings]
    found: dict[str, int] = {}
    failures: list[Failure] = []
    for name in ANSWERS:
        own = survey.columns.get(name)
        candidates = map(normal, (own,) if own else (name, *_HEADINGS.get(name, ())))
        place = next((loose.index(one) for one in candidates if one in loose), None)
        if place is not None:
            found[name] = place
        elif own or name == "date":
            close = nearest(own or name, file.headings)
            advice = f"did you mean {' or '.join(map(repr, close))}? " if close else ""
            reason = f"is missing ({advice}`{name}` needs it). Correct `columns` under [[surveys]]."
            failures.append(Failure(own or name, None, "", reason))
    if not failures and not {"score", "theme", "comment"} & set(found):
        headings = hide_contacts(", ".join(file.headings))
        reason = f"must have a column score, theme or comment, not only {headings}. Map it in `columns`."
        failures.append(Failure("", None, "", reason))
    if failures:
        raise TicketDataError(file.name, failures)
    return found


#: Column, text and what is wrong with it.
_Fault = tuple[str, str, str]


def _answer(
    survey: Survey, record: dict[str, str], *, number: int, key: str, names: Collection[str]
) -> tuple[dict[str, Any], list[_Fault]]:
    """Turn the texts of a row into an answer, with everything that is wrong with them."""
    faults: list[_Fault] = []
    date, clock = _moment(record.get("date", ""), survey.formats)
    if date is None:
        faults.append(
            ("date", record.get("date", ""), "must be a day such as 2025-03-31, or in one of `formats`")
        )
    closed, _ = _moment(record.get("closed_at", ""), survey.formats)
    if closed is None and record.get("closed_at"):
        faults.append(("closed_at", record["closed_at"], "must be a time such as 2025-03-31 14:05"))
    role = record.get("role", "").casefold()
    if role and role not in _ROLES:
        faults.append(("role", role, "must be customer or staff"))
    score, low, high = math.nan, math.nan, math.nan
    if record.get("score"):
        score, low, high, wrong = _scored(record["score"], record.get("scale") or survey.scale or "")
        faults += [wrong] if wrong else []
    who = record.get("respondent", "")
    themes = (part.strip() for part in record.get("theme", "").translate(_BETWEEN).split(";"))
    return {
        "survey": survey.name,
        "row": number,
        "date": date,
        "closed_at": closed,
        "clock": clock,
        "group": hide_contacts(record.get("group", "")),
        "role": _ROLES.get(role, survey.role),
        "question": hide_contacts(record.get("question", "")) or survey.question or survey.name,
        "respondent": hashlib.sha256(f"{key}{who}".encode()).hexdigest()[:12] if who else f"row {number}",
        "score": score,
        "low": low,
        "high": high,
        "themes": tuple(dict.fromkeys(hide_contacts(theme) for theme in themes if theme)),
        "commented": bool(record.get("comment")),
        "comment": hide_people(record.get("comment", ""), names) if survey.comments else "",
    }, faults


def _scored(text: str, scale: str) -> tuple[float, float, float, _Fault | None]:
    try:
        low, high = parse_scale(scale)
    except ValueError as error:
        told = str(error) if scale else 'must be declared, such as "1-5": set `scale` under [[surveys]]'
        return math.nan, math.nan, math.nan, ("scale", scale, told)
    value = _YES_NO.get(text.casefold(), math.nan) if (low, high) == (0, 1) else math.nan
    with suppress(ValueError):
        value = float(text) if math.isnan(value) else value
    wrong = None if low <= value <= high else ("score", text, f"must be a number from {low} to {high}")
    return value, low, high, wrong


@lru_cache(4096)
def _moment(text: str, formats: tuple[str, ...]) -> tuple[datetime | None, bool]:
    """Return the time that a text means and whether it has a clock."""
    for form in (*formats, *_FORMATS):
        try:
            return datetime.strptime(text, form).replace(microsecond=0), "%H" in form or "%I" in form
        except ValueError:
            continue
    return None, False

"""The programme as an export would hold it: headings, labels, names to be masked, gaps and broken values."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from csimprove.samples.process import Outcomes
from csimprove.samples.stream import (
    CATEGORIES,
    CHANNELS,
    END,
    REGIONS,
    SEVERITIES,
    STAGES,
    TEAMS,
    Array,
    Stream,
    in_language,
    packaged,
    seconds,
)

Language = Literal["en", "zh"]

#: Causes to which complaints are coded and their shares, beside the planted one.
CAUSES = {
    "Process too complex": 0.28,
    "Wrong information": 0.22,
    "Product quality": 0.20,
    "Delivery delay": 0.15,
    "Attitude": 0.09,
    "Billing error": 0.06,
}
LATE_AFTER_SALES = "Late after-sales response"

_WORDS = tomllib.loads(packaged("words.toml"))
#: English heading, value or name in the settings file = Chinese.
CHINESE: dict[str, str] = _WORDS["chinese"]

_TEST_TICKETS = 24
_NO_CATEGORY, _NO_CAUSE, _NO_AGENT = 0.02, 0.07, 0.015
#: Of the tickets that took over two hours from answer to resolution: with a pause; of these: with two.
_PAUSED, _PAUSED_TWICE = 0.15, 0.2
#: Texts that stand where a time should be; without an opening a ticket is unusable.
_UNREADABLE = {"Opened": ("2025-06-31 09:15:00", "soon"), "Resolved": ("2025-13-02 10:00:00", "??")}
_REVERSED = 2


@dataclass(frozen=True, slots=True)
class Broken:
    """What a reader must leave out, reject or flag."""

    rows: int
    excluded: int
    rejected_rows: int
    answered_before_opened: int
    #: line in the file (the heading is line 1), heading, text
    unreadable: tuple[tuple[int, str, str], ...]


def playbook(language: Language) -> str:
    """Return the text of the settings file, comments and values in the language."""
    text = in_language(language)
    if language == "zh":
        text = re.sub(r'"([^"]+)"', lambda match: f'"{CHINESE.get(match[1], match[1])}"', text)
    return text


def as_export(
    rng: np.random.Generator, stream: Stream, outcomes: Outcomes, language: Language
) -> tuple[pd.DataFrame, pd.DataFrame, Broken]:
    """Write programme and outcomes as text columns, with the gaps and errors of a real file.

    Returns
    -------
    tuple
        Tickets, pauses, and what is broken.
    """
    size = len(stream.opened)
    answered = outcomes.first_response.copy()
    candidates = np.flatnonzero(outcomes.alone & outcomes.on_time & (answered > 0))
    reversed_rows = _spread(candidates, _REVERSED)
    answered[reversed_rows] = stream.opened[reversed_rows] - 240
    table = _table(rng, stream, outcomes, answered, language)
    # Test tickets are copies of real ones, each after its original, by customers of their own.
    tests = _spread(np.arange(size), _TEST_TICKETS)
    rows = np.sort(np.concatenate([np.arange(size), tests]))
    is_test = np.append(False, rows[1:] == rows[:-1])
    table = table.iloc[rows].reset_index(drop=True)
    table.loc[is_test, "Category"] = _translated("Test", language)
    table.loc[is_test, ["Customer", "Phone"]] = ["Test", "15499999999"]
    table.insert(0, "Ticket", _numbered(np.arange(len(rows)) + 20_250_001, "00"))
    place = np.searchsorted(rows, np.arange(size))
    spoiled = {
        "Opened": np.setdiff1d(np.flatnonzero(outcomes.alone), candidates),
        "Resolved": np.flatnonzero(
            ~outcomes.first_contact & outcomes.alone & (outcomes.reopened == 0) & (outcomes.resolved > 0)
        ),
    }
    unreadable = []
    for heading, texts in _UNREADABLE.items():
        for row, text in zip(place[_spread(spoiled[heading], len(texts))], texts, strict=True):
            table.loc[row, heading] = text
            unreadable.append((int(row) + 2, _translated(heading, language), text))
    pauses = _pauses(rng, outcomes, table["Ticket"].to_numpy()[place])
    table.columns = pd.Index([_translated(name, language) for name in table.columns])
    broken = Broken(len(rows), len(tests), len(_UNREADABLE["Opened"]), len(reversed_rows), tuple(unreadable))
    return table, pauses, broken


def _table(
    rng: np.random.Generator, stream: Stream, outcomes: Outcomes, answered: Array, language: Language
) -> pd.DataFrame:
    def named(names: Iterable[str], codes: Array) -> Array:
        return np.array([_translated(name, language) for name in names], object)[codes]

    size = len(stream.opened)
    cause = np.searchsorted(np.cumsum([*CAUSES.values()])[:-1], rng.random(size), side="right")
    cause = np.where(outcomes.late_after_sales, len(CAUSES), cause)
    uncoded = ~outcomes.complaint | (rng.random(size) < _NO_CAUSE)
    no_category = outcomes.alone & (rng.random(size) < _NO_CATEGORY)
    # Two tickets without category of one customer could be taken for a repeat contact.
    twice = pd.Series(np.where(no_category, outcomes.customer, -1 - np.arange(size))).duplicated().to_numpy()
    yes_no = ("no", "yes")
    people = _customer_names(language)
    return pd.DataFrame(
        {
            "Opened": _time(stream.opened),
            "First response": _time(answered),
            "Resolved": _time(outcomes.resolved),
            "Reopened": _time(outcomes.reopened),
            "Customer": people[outcomes.customer % len(people)],
            # No operator has the prefix 154; 7919 and the range have no common factor: one number a customer.
            "Phone": _numbered(outcomes.customer * 7919 % 10**8 + 10**8, "154", skip=1),
            "Category": np.where(no_category & ~twice, "-", named(CATEGORIES, stream.category)),
            "Cause": np.where(uncoded, "", named([*CAUSES, LATE_AFTER_SALES], cause)),
            "Stage": named(STAGES, stream.stage),
            "Channel": named(CHANNELS, stream.channel),
            "Severity": named(SEVERITIES, stream.severity),
            "Region": named(REGIONS, stream.region),
            "Team": np.array(_team_names(language), object)[stream.team],
            "Agent": np.where(rng.random(size) < _NO_AGENT, "", _numbered(stream.agent + 1001, "A")),
            "Complaint": named(yes_no, outcomes.complaint.astype("int64")),
            "Score": np.where(outcomes.score > 0, outcomes.score.astype("U1"), ""),
            "Survey sent": named(yes_no, outcomes.survey.astype("int64")),
            "Wait seconds": np.where(outcomes.wait >= 0, outcomes.wait.astype("U10"), ""),
        },
        dtype=object,
    )


def _pauses(rng: np.random.Generator, outcomes: Outcomes, ticket: Array) -> pd.DataFrame:
    """Draw waits for the customer between answer and resolution; a second one may overlap the first."""
    begin = outcomes.first_response
    stop = np.where(outcomes.resolved > 0, outcomes.resolved, seconds(END))
    can = (begin > 0) & (stop - begin > 2 * 3600)
    parts = []
    for share in (_PAUSED, _PAUSED_TWICE):
        can = can & (rng.random(len(begin)) < share)
        start = begin + np.floor(0.7 * rng.random(len(begin)) * (stop - begin)).astype("int64")
        end = start + 60 + np.floor(rng.random(len(begin)) * (stop - 60 - start)).astype("int64")
        still = (outcomes.resolved == 0) & (rng.random(len(begin)) < 0.5)
        columns = {"ticket_id": ticket, "start_at": _time(start), "end_at": _time(np.where(still, 0, end))}
        parts.append(pd.DataFrame(columns, dtype=object)[can])
    return pd.concat(parts).sort_values(["ticket_id", "start_at"], kind="stable").reset_index(drop=True)


def _translated(name: str, language: Language) -> str:
    return CHINESE.get(name, name) if language == "zh" else name


def _team_names(language: Language) -> list[str]:
    form = {"en": "{} {}", "zh": "{}{}组"}[language]
    return [
        form.format(_translated(region, language), 1 + team) for region in REGIONS for team in range(TEAMS)
    ]


def _customer_names(language: Language) -> Array:
    if language == "zh":
        names = [f"{surname}{title}" for surname in _WORDS["surnames"] for title in ("先生", "女士")]
    else:
        names = [
            f"{given} {family}" for given in _WORDS["given"].split() for family in _WORDS["family"].split()
        ]
    return np.array(names, object)


def _time(moment: Array) -> Array:
    text = np.datetime_as_string(moment.astype("datetime64[s]"))
    return np.where(moment > 0, np.char.replace(text, "T", " "), "")


def _numbered(number: Array, prefix: str, *, skip: int = 0) -> Array:
    """Numbers as text behind a prefix, without their first ``skip`` digits."""
    return np.array([f"{prefix}{str(value)[skip:]}" for value in number.tolist()], object)


def _spread(rows: Array, count: int) -> Array:
    """``count`` of the rows, evenly spaced."""
    return rows[(np.arange(1, count + 1) * len(rows)) // (count + 1)]

"""The programme as an export would hold it: headings, labels, names to be masked, gaps and broken values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from csimprove.samples.process import NOW
from csimprove.samples.stream import PLAN, TRANSLATIONS, WORDS, Array, Language, named, time_texts


@dataclass(frozen=True, slots=True)
class Broken:
    """What a reader must leave out, reject or flag."""

    rows: int
    excluded: int
    rejected_rows: int
    answered_before_opened: int
    #: line in the file (the heading is line 1), heading, text
    unreadable: tuple[tuple[int, str, str], ...]


def as_export(
    rng: np.random.Generator, tickets: pd.DataFrame, records: pd.DataFrame, language: Language
) -> tuple[pd.DataFrame, pd.DataFrame, Broken]:
    """Write tickets and outcomes as text columns, with the gaps and errors of a real file.

    Returns
    -------
    tuple
        Tickets, pauses, and what is broken.
    """
    broken, words = PLAN["broken"], TRANSLATIONS[language]
    every, answered = np.arange(len(tickets)), tickets["first_response"].to_numpy(copy=True)
    alone = tickets["alone"].to_numpy()
    candidates = np.flatnonzero(alone & tickets["on_time"] & (answered > 0))
    reversed_rows = _spread(candidates, broken["answered_before_opened"])
    answered[reversed_rows] = tickets["opened"].to_numpy()[reversed_rows] - 240
    table = _table(rng, tickets.assign(first_response=answered), language)
    table = table.join(records.map(lambda value: words.get(value, value)))
    # Test tickets are copies of real ones, each after its original, by customers of their own.
    tests = _spread(every, broken["test_tickets"])
    rows = np.sort(np.concatenate([every, tests]))
    is_test = np.append(False, rows[1:] == rows[:-1])
    table = table.iloc[rows].reset_index(drop=True)
    table.loc[is_test, ["Category", "Customer", "Phone"]] = [words.get("Test", "Test"), "Test", "15499999999"]
    table.insert(0, "Ticket", _numbered("00{}", np.arange(len(rows)) + 20_250_001))
    place = np.searchsorted(rows, every)
    spoiled = {
        "Opened": np.setdiff1d(np.flatnonzero(alone), candidates),
        "Resolved": np.flatnonzero(
            ~tickets["first_contact"] & alone & (tickets["reopened"] == 0) & (tickets["resolved"] > 0)
        ),
    }
    unreadable = []
    for heading, texts in broken["unreadable"].items():
        for row, text in zip(place[_spread(spoiled[heading], len(texts))], texts, strict=True):
            table.loc[row, heading] = text
            unreadable.append((int(row) + 2, words.get(heading, heading), text))
    pauses = _pauses(rng, tickets, table["Ticket"].to_numpy()[place])
    rejected = len(broken["unreadable"]["Opened"])
    found = Broken(len(rows), len(tests), rejected, len(reversed_rows), tuple(unreadable))
    return table.rename(columns=words), pauses, found


def _table(rng: np.random.Generator, tickets: pd.DataFrame, language: Language) -> pd.DataFrame:
    gaps, causes, words = PLAN["gaps"], PLAN["complaints"]["causes"], TRANSLATIONS[language]
    size = len(tickets)
    cause = named(causes, np.searchsorted(np.cumsum([*causes.values()])[:-1], rng.random(size), side="right"))
    uncoded = ~tickets["complaint"] | (rng.random(size) < gaps["cause"])
    no_category = tickets["alone"] & (rng.random(size) < gaps["category"])
    # Two tickets without category of one customer could be taken for a repeat contact.
    twice = tickets["customer"].where(no_category, -1 - tickets.index).duplicated()
    first_names, last_names, between = WORDS["people"][language]
    people = [first + between + last for first in first_names.split() for last in last_names.split()]
    teams = [
        WORDS["team"][language].format(words.get(region, region), 1 + team)
        for region in PLAN["region"]
        for team in range(PLAN["teams"])
    ]
    customer = tickets["customer"].to_numpy()
    table = pd.DataFrame(
        {
            "Opened": time_texts(tickets["opened"]),
            "First response": time_texts(tickets["first_response"]),
            "Resolved": time_texts(tickets["resolved"]),
            "Reopened": time_texts(tickets["reopened"]),
            "Customer": named(people, customer % len(people)),
            # No operator has the prefix 154; 7919 and the range have no common factor: one number a customer.
            "Phone": _numbered("154{:08d}", customer * 7919 % 10**8),
            "Category": np.where(no_category & ~twice, "-", tickets["category"]),
            "Cause": np.where(
                uncoded, "", np.where(tickets["late_after_sales"], "Late after-sales response", cause)
            ),
            "Stage": tickets["stage"],
            "Channel": tickets["channel"],
            "Severity": tickets["severity"],
            "Region": tickets["region"],
            "Team": named(teams, tickets["team"].to_numpy()),
            "Agent": np.where(
                rng.random(size) < gaps["agent"], "", _numbered("A{}", tickets["agent"].to_numpy() + 1001)
            ),
            "Complaint": np.where(tickets["complaint"], "yes", "no"),
            "Score": np.where(tickets["score"] > 0, tickets["score"].astype(str), ""),
            "Survey sent": np.where(tickets["survey"], "yes", "no"),
            "Wait seconds": np.where(tickets["wait"] >= 0, tickets["wait"].astype(str), ""),
        },
        dtype=object,
    )
    return table.map(lambda value: words.get(value, value))


def _pauses(rng: np.random.Generator, tickets: pd.DataFrame, numbers: Array) -> pd.DataFrame:
    """Draw waits for the customer between answer and resolution; a second one may overlap the first."""
    begin, resolved = tickets["first_response"].to_numpy(), tickets["resolved"].to_numpy()
    stop = np.where(resolved > 0, resolved, NOW)
    can = (begin > 0) & (stop - begin > 2 * 3600)
    parts: list[pd.DataFrame] = []
    for share in PLAN["pauses"]["shares"]:
        can = can & (rng.random(len(begin)) < share)
        start = begin + np.floor(0.7 * rng.random(len(begin)) * (stop - begin)).astype("int64")
        end = start + 60 + np.floor(rng.random(len(begin)) * (stop - 60 - start)).astype("int64")
        still = (resolved == 0) & (rng.random(len(begin)) < 0.5)
        columns = {
            "ticket_id": numbers,
            "start_at": time_texts(start),
            "end_at": time_texts(np.where(still, 0, end)),
        }
        parts.append(pd.DataFrame(columns, dtype=object)[can])
    return pd.concat(parts).sort_values(["ticket_id", "start_at"], kind="stable").reset_index(drop=True)


def _numbered(form: str, numbers: Array) -> Array:
    return np.array([form.format(number) for number in numbers.tolist()], object)


def _spread(rows: Array, count: int) -> Array:
    """``count`` of the rows, evenly spaced."""
    return rows[(np.arange(1, count + 1) * len(rows)) // (count + 1)]

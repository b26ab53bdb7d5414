"""What customers and staff of the programme say: four surveys with planted means, shares and themes."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtri

from csimprove.samples.stream import DAY, END, PHASES, PLAN, TRANSLATIONS, WORDS, Array, Language, named

_HEADINGS = ("date", "region", "respondent", "score", "theme", "comment", "closed_at")


def draw_answers(
    rng: np.random.Generator, language: Language, *, works: bool, share: float
) -> dict[str, pd.DataFrame]:
    """Draw the answers to every survey.

    Parameters
    ----------
    rng
        A stream of its own, so that the tickets stay what they are.
    language
        Language of headings, themes and comments.
    works
        Whether the new process makes customers recommend more.
    share
        Part of the answers of customers that is drawn: a small programme has fewer customers.

    Returns
    -------
    dict
        Name of the survey's file = its answers as text columns.
    """
    plan = PLAN["surveys"]
    drawn = {
        "questionnaire": _questionnaire(rng, plan["questionnaire"]),
        "interviews": _themes_only(rng, plan["interviews"]),
        "staff": _staff(rng, plan["staff"]),
        "customers": _customers(rng, plan["customers"], language, works=works, share=share),
    }
    words, headings = TRANSLATIONS[language], dict(zip(_HEADINGS, WORDS["answers"][language], strict=True))
    return {
        name: table.map(lambda value: _told(value, words)).rename(columns=headings)
        for name, table in drawn.items()
    }


def _told(value: str | list[str], words: dict[str, str]) -> str:
    parts = [value] if isinstance(value, str) else value
    return "; ".join(words.get(part, part) for part in parts)


def _questionnaire(rng: np.random.Generator, plan: dict[str, Any]) -> pd.DataFrame:
    count, (mean, spread) = plan["count"], plan["score"]
    even = np.clip(np.round(mean + spread * ndtri((np.arange(count) + 0.5) / count)), 0, 100)
    score = even[np.argsort(rng.random(count))].astype("int64")
    return pd.DataFrame(
        {
            "date": _days(rng, plan["days"], count),
            "region": _regions(rng, count),
            "score": score.astype(str),
            "theme": _shared(rng, plan["themes"], count),
        },
        dtype=object,
    ).sort_values("date", kind="stable")


def _themes_only(rng: np.random.Generator, plan: dict[str, Any]) -> pd.DataFrame:
    """One row a person; several themes of one person stand in one cell."""
    count = plan["count"]
    named_by = {theme: set(np.argsort(rng.random(count))[:n].tolist()) for theme, n in plan["themes"].items()}
    return pd.DataFrame(
        {
            "date": np.sort(_days(rng, plan["days"], count)),
            "respondent": [f"P{person + 1:02d}" for person in range(count)],
            "theme": [[theme for theme, by in named_by.items() if person in by] for person in range(count)],
        },
        dtype=object,
    )


def _staff(rng: np.random.Generator, plan: dict[str, Any]) -> pd.DataFrame:
    table = _themes_only(rng, plan)
    yes = np.argsort(rng.random(plan["count"])) < plan["yes"]
    table.insert(1, "region", next(iter(PLAN["region"])))
    table.insert(3, "score", np.where(yes, "yes", "no").astype(object))
    return table


def _customers(
    rng: np.random.Generator, plan: dict[str, Any], language: Language, *, works: bool, share: float
) -> pd.DataFrame:
    counts = [round(count * share) for count in plan["count"]]
    months = np.array(plan["months"], "datetime64[D]")
    ends = np.append(months[1:], END)
    size = sum(counts)
    month = np.repeat(np.arange(len(counts)), counts)
    length = (ends - months).astype("int64")[month] * DAY
    moment = _seconds(months[month]) + np.floor(rng.random(size) * length).astype("int64")
    region = _regions(rng, size)
    first_day = {name: PHASES[0] + 7 * week for name, week in PLAN["roll_out"].items()}
    starts = _seconds(np.array([first_day.get(name, PHASES[2]) for name in region]))
    mean = np.where(works & (moment >= starts), plan["score"][1], plan["score"][0])
    score = np.clip(np.round(mean + plan["spread"] * rng.standard_normal(size)), 0, 10).astype("int64")
    commented = rng.random(size) < plan["commented"]
    theme = np.where(commented, _shared(rng, plan["themes"], size), "")
    closed = moment + np.floor(3600 + rng.random(size) * 22 * 3600).astype("int64")
    late = rng.random(size) >= plan["closed"]
    closed = np.where(late, closed + 2 * DAY, closed)
    closed = np.where(commented & (closed < int(_seconds(np.array(END)))), closed, 0)
    return pd.DataFrame(
        {
            "date": _clock(moment),
            "region": region,
            "score": score.astype(str),
            "theme": theme,
            "comment": np.where(commented, _typed(rng, language, size), ""),
            "closed_at": np.where(closed > 0, _clock(closed), ""),
        },
        dtype=object,
    ).sort_values("date", kind="stable")


def _typed(rng: np.random.Generator, language: Language, size: int) -> Array:
    """Draw what people type; the numbers belong to nobody: no operator, office or bank has their prefixes."""
    first_names, last_names, between = WORDS["people"][language]
    people = [first + between + last for first in first_names.split() for last in last_names.split()]
    texts = WORDS["comments"][language]
    made = []
    for number in np.floor(rng.random(size) * 10**8).astype("int64").tolist():
        facts = {
            "name": people[number % len(people)],
            "phone": f"154{number:08d}",
            "mail": f"customer{number}@example.com",
            "id": f"990101{1950 + number % 50}0101{number % 1000:03d}X",
            "card": f"6299{number:012d}",
        }
        made.append(texts[number % len(texts)].format(**facts))
    return np.array(made, object)


def _regions(rng: np.random.Generator, size: int) -> Array:
    edges = np.cumsum([*PLAN["region"].values()])
    return named(PLAN["region"], np.searchsorted(edges[:-1] / edges[-1], rng.random(size), side="right"))


def _shared(rng: np.random.Generator, themes: dict[str, float], size: int) -> Array:
    """One theme or none for each answer."""
    edges = np.cumsum([*themes.values()])
    return named([*themes, ""], np.searchsorted(edges, rng.random(size), side="right"))


def _days(rng: np.random.Generator, days: list[date], size: int) -> Array:
    first, last = np.array(days, "datetime64[D]")
    span = int((last - first).astype("int64")) + 1
    moments = first + np.floor(rng.random(size) * span).astype("int64")
    texts: Array = np.datetime_as_string(moments).astype(object)
    return texts


def _seconds(days: Array) -> Array:
    seconds: Array = days.astype("datetime64[s]").astype("int64")
    return seconds


def _clock(seconds: Array) -> Array:
    text = np.datetime_as_string(seconds.astype("datetime64[s]"))
    moments: Array = np.char.replace(text, "T", " ").astype(object)
    return moments

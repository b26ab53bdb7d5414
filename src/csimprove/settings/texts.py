"""Texts that settings are written in: limits, intervals, zones, names; and what a wrong one is told."""

from __future__ import annotations

import difflib
import re
import typing
from datetime import timedelta
from zoneinfo import ZoneInfo


def parse_limit(text: str) -> timedelta:
    """Turn "15 min", "2 h" or "3 d" into a duration; one day is 24 hours.

    Examples
    --------
    >>> parse_limit("90 min") == parse_limit("1.5 h")
    True
    """
    units = {"s": 1, "min": 60, "h": 3600, "d": 86400}
    number, _, unit = text.strip().partition(" ")
    try:
        seconds = float(number) * units[unit.strip()]
    except (KeyError, ValueError):
        raise ValueError(f'a limit must be like "15 min", "2 h" or "3 d", not {text!r}') from None
    if not seconds > 0:
        raise ValueError(f"a limit must be above 0, not {text!r}")
    return timedelta(seconds=round(seconds))


def parse_working_days(text: str) -> int | None:
    """Return the number of "3 working days"; ``None`` for a limit in hours, minutes or days of 24 hours.

    Examples
    --------
    >>> parse_working_days("3 working days"), parse_working_days("3 d")
    (3, None)
    """
    found = re.fullmatch(r"([1-9]\d?) working days?", text.strip())
    return int(found[1]) if found else None


def parse_interval(text: str, *, where: str = "hours") -> tuple[int, int]:
    """Turn "09:00-18:00" into minutes of the local day; the end is above 1440 when it lies on the next day.

    Examples
    --------
    >>> parse_interval("22:00-06:00")
    (1320, 1800)
    """
    try:
        start, end = (_minutes(part) for part in text.split("-"))
    except ValueError:
        raise ValueError(f'{where}: an interval must be like "09:00-18:00", not {text!r}') from None
    return (start, end) if end > start else (start, end + 1440)


def slug(name: str) -> str:
    """Name of a project as the name of a folder.

    Examples
    --------
    >>> slug("Service: process 2025")
    'service-process-2025'
    """
    kept = "".join(letter if letter.isalnum() else " " for letter in name.lower())
    return "-".join(kept.split()) or "project"


def nearest(name: str, known: typing.Iterable[str]) -> list[str]:
    """Return the known names that look most like ``name``, at most three."""
    return difflib.get_close_matches(name, list(known), n=3, cutoff=0.5)


def hint(name: str, known: typing.Iterable[str]) -> str:
    """Return the known names near a wrong one, else all of them, as a sentence."""
    close = nearest(name, known)
    return f" Did you mean {' or '.join(close)}?" if close else f" Known: {', '.join(known)}."


def _minutes(text: str) -> int:
    hours, minutes = text.strip().split(":")
    value = int(hours) * 60 + int(minutes)
    if not 0 <= value <= 1440 or not 0 <= int(minutes) < 60:
        raise ValueError
    return value


def known_zone(value: str) -> str:
    """Return the name of a zone that Python knows; another is a ValueError."""
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise ValueError(f'must be an IANA zone such as "Asia/Shanghai", not {value!r}') from None
    return value


def members(names: typing.Iterable[str], known: typing.Sequence[str], what: str) -> None:
    """Raise a ValueError that names what a wrong name may have meant."""
    for name in names:
        if name not in known:
            raise ValueError(f"{name!r} is not {what}{near(name, known)}")


def near(name: str, known: typing.Iterable[str]) -> str:
    """Return the known names near a wrong one, else all of them, as the end of a message."""
    close = nearest(name, known)
    return f"; did you mean {' or '.join(close)}?" if close else f"; it must be one of {', '.join(known)}"

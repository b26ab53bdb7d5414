"""Phrases by key, and the names of metrics, columns and units."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from importlib import resources
from typing import Any

from csimprove.settings import Language, nearest


def _data(name: str) -> dict[str, Any]:
    return tomllib.loads((resources.files("csimprove") / "wording" / name).read_text(encoding="utf-8"))


#: Every phrase: key = {language: phrase}.
PHRASES: dict[str, dict[Language, str]] = {
    key: phrase
    for file in sorted((resources.files("csimprove") / "wording" / "phrases").iterdir(), key=lambda f: f.name)
    for key, phrase in tomllib.loads(file.read_text(encoding="utf-8")).items()
}
#: Every definition: metric (":variant") = {language: {placeholder of the phrase ``definition``: words}}.
DEFINITIONS: dict[str, dict[Language, dict[str, str]]] = _data("definitions.toml")


def text(key: str, language: Language = "en", **values: str | int) -> str:
    """Return a phrase with its placeholders filled.

    Parameters
    ----------
    key
        Key of the phrase.
    language
        ``"en"`` or ``"zh"``.
    **values
        Ready-made texts (or whole numbers below 1,000) for the placeholders.

    Returns
    -------
    str
        The phrase.

    Raises
    ------
    KeyError
        If there is no such phrase or a placeholder has no value.

    Examples
    --------
    >>> text("tile.from", pilot_before="80.0%"), text("tile.from", "zh", pilot_before="80.0%")
    ('from 80.0%', '试点前80.0%')
    """
    if key not in PHRASES:
        close = nearest(key, PHRASES)
        raise KeyError(f"no phrase {key!r}" + (f"; near: {', '.join(close)}" if close else ""))
    try:
        return PHRASES[key][language].format(**values)
    except KeyError as error:
        raise KeyError(f"phrase {key!r} needs a value for {error}") from None


def known(key: str, fallback: str, language: Language = "en") -> str:
    """Return a phrase, or the fallback where data bring a name that no phrase knows.

    Examples
    --------
    >>> known("flag.reversed_pause", "reversed_pause", "zh"), known("flag.other_thing", "other_thing")
    ('暂停结束早于开始，已忽略', 'other thing')
    """
    return text(key, language) if key in PHRASES else fallback.replace("_", " ")


def joined(items: Iterable[str], language: Language = "en") -> str:
    """Return a list as people write it.

    Examples
    --------
    >>> joined(["a", "b", "c"]), joined(["甲", "乙", "丙"], "zh")
    ('a, b and c', '甲、乙和丙')
    """
    *first, last = list(items) or [""]
    if not first:
        return last
    comma, last_joint = {"en": (", ", " and "), "zh": ("、", "和")}[language]
    return comma.join(first) + last_joint + last


def listed(items: Iterable[str], language: Language) -> str:
    """Return a list of items that hold commas themselves."""
    return {"en": "; ", "zh": "；"}[language].join(items)


def capital(sentence: str) -> str:
    """Return a sentence with a capital first letter.

    Examples
    --------
    >>> capital("the complaint rate"), capital("投诉率")
    ('The complaint rate', '投诉率')
    """
    return sentence[:1].upper() + sentence[1:]


def metric_name(metric: str, language: Language = "en", *, variant: str = "", inline: bool = False) -> str:
    """Return the name of a metric.

    Parameters
    ----------
    metric
        Its name in settings and results.
    language
        ``"en"`` or ``"zh"``.
    variant
        Which published definition; a proxy is named as one.
    inline
        As it stands inside a sentence, not as a label.

    Returns
    -------
    str
        The name; a metric that is not in the catalogue keeps its own.

    Examples
    --------
    >>> metric_name("reopen_rate"), metric_name("reopen_rate", inline=True)
    ('Reopened within 7 days', 'the reopen rate')
    >>> metric_name("first_contact_resolution", variant="one_touch")
    'One-touch resolution (proxy)'
    """
    end = ".inline" if inline else ""
    special = f"metric.{metric}:{variant}{end}"
    return text(special, language) if special in PHRASES else known(f"metric.{metric}{end}", metric, language)


def definition_text(metric: str, language: Language = "en", *, variant: str = "") -> str:
    """Return the definition of a metric as one paragraph.

    Examples
    --------
    >>> definition_text("csat")[:73]
    'Answers 4 and 5 of 5, divided by answers. Decided: when the customer answ'
    """
    key = f"{metric}:{variant}"
    return text("definition", language, **DEFINITIONS[key if key in DEFINITIONS else metric][language])


def column_name(column: str, language: Language = "en") -> str:
    """Return the name of a canonical column or cut.

    Examples
    --------
    >>> column_name("severity", "zh"), column_name("opened_at")
    ('问题级别', 'opened')
    """
    return known(f"column.{column}", column, language)


def group_name(group: str, language: Language = "en") -> str:
    """Return the name of a group as the data have it; an empty one is "not stated".

    Examples
    --------
    >>> group_name("华东"), group_name("")
    ('华东', 'not stated')
    """
    return group or text("group.missing", language)


#: How the reason why a value was not used begins = its phrase; ``quality.reject`` ends it.
_REJECTS = {
    "must be a time": "time",
    "must be yes or no": "yes_no",
    "must be one line": "line",
    "must be a duration": "duration",
    "must be a whole number": "number",
    "is missing": "missing",
    "holds a quote": "quote",
    "cannot be split": "split",
    "has ": "values",
}


def reject_text(reason: str, language: Language = "en") -> str:
    """Return why a value was not used, as a report says it; one that no phrase knows stays as it is.

    Examples
    --------
    >>> reject_text("must be yes or no, true or false, 1 or 0. It counts as no value.", "zh")
    '应为是或否；按空值处理'
    """
    code = next((code for start, code in _REJECTS.items() if reason.startswith(start)), "")
    if language == "en" or not code:
        return reason
    end = "row" if reason.endswith("The row is left out.") else "value"
    return listed([text(f"reject.{code}", language), text(f"reject.{end}", language)], language)


def unit_name(unit: str, language: Language = "en", *, many: bool = False) -> str:
    """Return the unit of inference: ``many`` with plural or counter, to stand after a number.

    Examples
    --------
    >>> unit_name("team", many=True), unit_name("team", "zh", many=True), unit_name("team", "zh")
    ('teams', '个班组', '班组')
    """
    key = f"units.{unit}" if many else f"unit.{unit}"
    return known(key, f"{unit}s" if many and language == "en" else unit, language)

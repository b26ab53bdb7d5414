"""Phrases by key, and the names of metrics, columns and units."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from datetime import date
from importlib import resources
from typing import Any

from csimprove.metrics.definitions import OPTIONS, VARIANTS, unpacked
from csimprove.settings import Language, nearest
from csimprove.wording.numbers import count, days_text, limit_text, period_text


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
    >>> metric_name("reopen_rate", variant='window {"days": 14}', language="zh")
    '14天内重开率'
    >>> metric_name("reopen_rate"), metric_name("reopen_rate", inline=True)
    ('Reopened within 7 days', 'the reopen rate')
    >>> metric_name("first_contact_resolution", variant="one_touch")
    'One-touch resolution (proxy)'
    """
    end = ".inline" if inline else ""
    definition, options = unpacked(variant)
    if "label" in options:
        return str(options["label"][language])
    found = next(
        (key for key in (f"metric.{metric}:{definition}{end}", f"metric.{metric}{end}") if key in PHRASES),
        None,
    )
    return (
        text(found, language, **spoken_options(metric, variant, language))
        if found
        else metric.replace("_", " ")
    )


def spoken_options(metric: str, variant: str, language: Language) -> dict[str, str]:
    """Return what the definition of a metric takes, such as days or limit, as texts."""
    definition, own = unpacked(variant)
    told: dict[str, Any] = OPTIONS.get(metric, {}) | own
    words = {}
    if "days" in told:
        words["days"] = days_text(told["days"], language)
    if "limit" in told:
        words["limit"] = limit_text(told["limit"], language)
        words["clock"] = text(f"clock.{told.get('clock', 'calendar')}", language)
        if "working" in told["limit"]:
            words["clock"] = text("clock.working_days", language)
    if "scale" in told:
        low, high = told["scale"]
        words |= {"low": str(low), "high": str(high), "second": str(high - 1)}
    for key in ("columns", "channels"):
        if key in told:
            words[key] = joined([column_name(name, language) for name in told[key]], language)
    words["period"] = text("customers.year", language)
    if "first" in told:
        first, last = (date.fromisoformat(told[key]) for key in ("first", "last"))
        words["period"] = period_text(first, last, language)
    words["customers"] = count(told.get("customers"))
    words["table"] = told.get("source") or text(
        "customers.declared" if metric == "complaints_per_10000" else "customers.table", language
    )
    if metric not in VARIANTS:
        words |= _own_options(definition, told, language)
    return words


def _own_options(definition: str, told: dict[str, Any], language: Language) -> dict[str, str]:
    """Return what an own metric looks at; conditions first."""
    words: dict[str, str] = {
        key: column_name(told[key], language) for key in ("column", "event", "start") if key in told
    }
    words["values"] = joined(told.get("values", []), language)
    where = [
        text("own.where", language, column=column_name(name, language), values=joined(values, language))
        for name, values in told.get("where", {}).items()
    ]
    words["where"] = text(
        "own.tickets" if not where else "own.tickets.where", language, where=joined(where, language)
    )
    return words


def definition_text(metric: str, language: Language = "en", *, variant: str = "") -> str:
    """Return the definition of a metric as one paragraph.

    Examples
    --------
    >>> definition_text("csat")[:73]
    'Answers 4 and 5 on the scale 1 to 5, divided by answers. Decided: when th'
    """
    definition, _ = unpacked(variant)
    keys = (f"{metric}:{definition}", metric, definition)
    parts = next(DEFINITIONS[key] for key in keys if key in DEFINITIONS)[language]
    words = spoken_options(metric, variant, language)
    return text("definition", language, **{name: part.format(**words) for name, part in parts.items()})


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


def unit_name(unit: str, language: Language = "en", *, many: bool = False) -> str:
    """Return the unit of inference: ``many`` with plural or counter, to stand after a number.

    Examples
    --------
    >>> unit_name("team", many=True), unit_name("team", "zh", many=True), unit_name("team", "zh")
    ('teams', '个班组', '班组')
    """
    key = f"units.{unit}" if many else f"unit.{unit}"
    return known(key, f"{unit}s" if many and language == "en" else unit, language)

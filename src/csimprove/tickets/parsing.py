"""The one SQL statement that turns the texts of a file into typed columns.

One ``WITH`` part a step: lines, trimmed texts, texts (renamed, "no value" as null), first parse, value. Last
comes what is checked: the value, the text that could not be read, and the named rule that leaves the row out.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

from csimprove import columns
from csimprove.errors import SettingsError
from csimprove.settings import DURATION_UNITS, DURATIONS
from csimprove.tickets.files import SourceFile
from csimprove.tickets.mapping import REQUIRED, Field, is_name, stored
from csimprove.tickets.masking import CONTACT, NAME

#: Forms of time that are tried when the settings name none: a day first, four digits of the year first.
ISO_FORMATS = tuple(
    f"{day}{clock}"
    for day in ("%Y-%m-%d", "%Y/%m/%d")
    for clock in (" %H:%M:%S", "T%H:%M:%S", "T%H:%M:%S.%f", " %H:%M:%S.%f", " %H:%M", "T%H:%M", "")
)
#: Forms of time that do not tell whether the day or the month comes first; the file must. A year of two
#: digits is not among them: it could be a day as well.
_SHORT = tuple(
    f"{{}}{mark}{{}}{mark}%Y{clock}"
    for mark in "/.-"
    for clock in ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
)
DAY_FIRST = tuple(form.format("%d", "%m") for form in _SHORT)
MONTH_FIRST = tuple(form.format("%m", "%d") for form in _SHORT)
#: Their first two numbers.
SHORT = r"^(\d{1,2})[/.-](\d{1,2})[/.-]\d{4}(?: \d{1,2}:\d\d(?::\d\d)?(?: [AaPp][Mm])?)?$"
#: Forms that start with one or two digits and a mark.
_MARKED = re.compile(r"%[dmy][/.-]")
#: Such a text of which one number is no month.
DECISIVE = r"^(?:\d{1,2}[/.-](?:1[3-9]|2\d|3[01])|(?:1[3-9]|2\d|3[01])[/.-]\d{1,2})[/.-]\d{4}"
#: Times counted from 1970, and how many of them make a second.
UNIX = {"unix": 1, "unix_ms": 1000}
#: Parts of a duration in words, in seconds.
_PARTS = {
    "(?:days?|d|天|日)": 86400,
    "(?:hours?|hrs?|h|小时|时)": 3600,
    "(?:minutes?|mins?|m|分钟|分)": 60,
    "(?:seconds?|secs?|s|秒)": 1,
}
_WORDS = rf"(?i)^-?(?:\d+ *(?:{'|'.join(_PARTS)})[ ,]*)+$"
#: Hours, minutes and perhaps seconds; the hours may go beyond 24.
_HOURS = r"^-?(\d+):([0-5]\d)(?::([0-5]\d)(?:\.\d+)?)?$"
#: A time with its own offset, which wins over the zone of the settings.
_OFFSET = r"^(.*\d:\d\d(?:[.:][\d.]+)?(?: ?[AaPp][Mm])?) ?([Zz]|UTC|GMT|[+-]\d\d(?::?\d\d)?)$"
TRUE = ("true", "yes", "1", "y", "t", "是")
FALSE = ("false", "no", "0", "n", "f", "否")
_EARLIEST = "TIMESTAMP '1990-01-01'"
#: A limit that the source states may lie ahead; nothing else can.
_LATEST = {"due_at": "TIMESTAMP '2100-01-01'"}
_BOUNDS = {"csat": (1, 5), "nps_score": (0, 10)}
_LARGEST = {"SMALLINT": 32_767, "BIGINT": 1_000_000_000}

#: What does not count when a result is compared with vague phrases: spaces, marks, signs.
_NO_LETTER = "[^a-z0-9一-鿿]+"

Exclude = dict[str, dict[str, tuple[str, ...]]]


@dataclass(frozen=True, slots=True)
class Times:
    """How the times of one column are written."""

    formats: tuple[str, ...]
    #: of the part before an offset such as +08:00
    offset_formats: tuple[str, ...]
    #: for people
    described: str
    #: most of a sample carry an offset
    offset_first: bool = False
    #: the forms were found, not set
    found: bool = False
    #: of ``formats``, those in which day and month stand the other way round than in the first one
    swapped: tuple[str, ...] = ()
    #: units of times counted from 1970, see `UNIX`
    unix: tuple[str, ...] = ()


def swapped(formats: tuple[str, ...]) -> tuple[str, ...]:
    """Return the formats in which day and month stand the other way round than in the first such one.

    Examples
    --------
    >>> swapped(("%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y"))
    ('%m/%d/%Y',)
    """
    orders = {
        form: form.find("%d") < form.find("%m")
        for form in formats
        if 0 <= form.find("%d") < form.lower().find("%y")
    }
    orders = {form: order for form, order in orders.items() if "%m" in form}
    return tuple(form for form, order in orders.items() if order != next(iter(orders.values())))


def literal(text: str) -> str:
    """Text as SQL."""
    return "'" + text.replace("'", "''") + "'"


def quoted(name: str) -> str:
    """Name as SQL."""
    return '"' + name.replace('"', '""') + '"'


def texts(fields: Iterable[Field], missing: Iterable[str], *, file: SourceFile, options: str) -> str:
    """``WITH`` parts up to the trimmed and renamed texts of every field."""
    # square brackets and wildcards in a path would be read as a pattern
    path = literal("".join(f"[{letter}]" if letter in "[*?" else letter for letter in str(file.text)))
    if file.types:
        as_text = ", ".join(
            f"{_as_text(quoted(heading), kind)} AS c{place}"
            for place, (heading, kind) in enumerate(zip(file.headings, file.types, strict=True))
        )
        lines = f"SELECT {as_text} FROM read_parquet({path})"
    else:
        names = ", ".join(f"'c{place}': 'VARCHAR'" for place in range(len(file.headings)))
        lines = f"""SELECT * FROM read_csv({path}, auto_detect = false, header = true,
            delim = {literal(file.delimiter)}, quote = '"', escape = '"', compression = 'none',
            columns = {{{names}}}, {options})"""
    number = f"{literal(file.name + ' ')} || row_number() OVER ()"
    trimmed = ", ".join(
        f"{_joined(field, missing) if field.positions else number} AS {quoted(field.name)}"
        for field in fields
    )
    renamed = ", ".join(f"{_renamed(field, missing)} AS {quoted(field.name)}" for field in fields)
    said = "".join(
        f", CASE {quoted(field.name)} {cases} END AS {quoted('said ' + field.name)}"
        for field in fields
        if (cases := " ".join(f"WHEN {literal(one)} THEN {literal(one)}" for one in taken(field, missing)))
    )
    renamed += said
    return f"""WITH lines AS ({lines}),
    trimmed AS (SELECT {trimmed} FROM lines),
    texts AS (SELECT {renamed} FROM trimmed)"""


def taken(field: Field, missing: Iterable[str]) -> dict[str, str]:
    """Return the texts of a column that are taken for another (empty: for no value).

    Yes and no in other words are not worth telling.
    """
    plain = is_name(field) or columns.TICKETS.get(field.name) == "BOOLEAN"
    choices = {} if plain else dict.fromkeys(missing, "") | field.values
    return {text: value for text, value in choices.items() if text and text != value}


def vague_pattern(own: Iterable[str]) -> str:
    """Return the pattern of a result that holds nothing but vague phrases, once `_plain` is done.

    Examples
    --------
    >>> bool(re.fullmatch(vague_pattern(["All good!"]), "allgoodalreadysolved"))
    True
    """
    shipped = tomllib.loads((resources.files(__package__) / "vague.toml").read_text(encoding="utf-8"))
    phrases = [*shipped["en"], *shipped["zh"], *own]
    plain = {re.sub(_NO_LETTER, "", phrase.lower()) for phrase in phrases}
    return f"({'|'.join(sorted(plain - {''}))})*"


def parse(
    fields: tuple[Field, ...],
    times: dict[str, Times],
    *,
    zone: str,
    exclude: Exclude,
    key: str,
    missing: Iterable[str] = (),
    vague: Iterable[str] = (),
) -> str:
    """``WITH`` parts and final ``SELECT`` that follow `texts`."""
    people = tuple(field for field in fields if _personal(field) or is_name(field))
    fields = tuple(field for field in fields if not is_name(field))
    first = ", ".join(f"{sql} AS {quoted('first ' + f.name)}" for f in fields if (sql := _first(f, times)))
    value = ", ".join(
        f"{_vague(f, vague) if f.name == 'vague_result' else _value(f, times, zone, key, people)} "
        f"AS {quoted('value ' + f.name)}"
        for f in fields
    )
    final = ", ".join(part for field in fields for part in _checked(field))
    final += "".join(f", {quoted('said ' + field.name)}" for field in fields if taken(field, missing))
    final += "".join(
        f", {_marked(quoted(n))} AS {quoted('marked ' + n)}" for n, how in times.items() if mixed(how)
    )
    rules = _rules(exclude, fields)
    moved = _odd(times, zone, lambda name: f"NOT {_round_trip(name, zone, 0)}")
    # half an hour is Lord Howe's change
    twice = _odd(times, zone, lambda name: f"{_round_trip(name, zone, 60)} OR {_round_trip(name, zone, 30)}")
    return f"""firsts AS (SELECT *{", " + first if first else ""} FROM texts),
    found AS (SELECT *, {value} FROM firsts)
    SELECT {final}, {rules} AS rule, 0 AS shift,
        {moved} AS missing_local_time, {twice} AS ambiguous_local_time,
        {_swapped(times)} AS swapped_day_month
    FROM found"""


@cache
def steady(zone: str) -> tuple[str, int]:
    """Return the local time, as SQL, from which a zone keeps one offset, and that offset in seconds.

    Converting by the engine's zone tables costs more than all other parsing; most of Asia does not need it.

    Examples
    --------
    >>> steady("Asia/Shanghai")
    ("TIMESTAMP '1991-09-16 00:00:00'", 28800)
    """
    info, moment = ZoneInfo(zone), datetime(2100, 1, 1, tzinfo=UTC)
    offset = moment.astimezone(info).utcoffset()
    while moment.year > 1989 and moment.astimezone(info).utcoffset() == offset:
        moment -= timedelta(days=1)
    since = (moment + timedelta(days=2)).replace(tzinfo=None)
    return f"TIMESTAMP '{since}'", round((offset or timedelta(0)).total_seconds())


def local_month(column: str, zone: str) -> str:
    """Return SQL of the local month, such as 2025-08, of a naive UTC time."""
    since, offset = steady(zone)
    slow = f"timezone({literal(zone)}, timezone('UTC', {column}))"
    quick = f"{column} + to_seconds({offset})"
    return f"strftime(CASE WHEN {column} >= {since} THEN {quick} ELSE {slow} END, '%Y-%m')"


def is_time(name: str) -> bool:
    """Whether a canonical column is a time."""
    return _type(name) == "TIMESTAMP"


def reason(field: Field, times: dict[str, Times]) -> str:
    """Why a value of the field was not used, and what to do."""
    if field.name in times:
        what = f"must be a time between 1990 and today, {times[field.name].described}."
    elif _type(field.name) == "BOOLEAN":
        what = "must be yes or no, true or false, 1 or 0, 是 or 否."
    elif _type(field.name) == "VARCHAR" or _personal(field):
        what = "must be one line; the quote before it may not be closed."
    elif field.name in DURATIONS:
        what = "must be a duration, 0 or more: a number, H:MM:SS or 2 d 3 h 4 min."
    else:
        low, high = _bounds(field)
        what = f"must be a whole number from {low} to {high}."
    return f"{what} {'The row is left out.' if field.name in REQUIRED else 'It counts as no value.'}"


def offset_parts(text: str, formats: tuple[str, ...]) -> str:
    """Return SQL of the naive UTC time that a text with its own offset means; null for other texts."""
    offset = f"regexp_extract({text}, {literal(_OFFSET)}, 2)"
    digits = f"replace(substr({offset}, 2), ':', '')"
    minutes = (
        f"try_cast(left({digits}, 2) AS INTEGER) * 60 + coalesce(try_cast(substr({digits}, 3) AS INTEGER), 0)"
    )
    signed = f"CASE left({offset}, 1) WHEN '+' THEN {minutes} WHEN '-' THEN -({minutes}) ELSE 0 END"
    local = f"regexp_extract({text}, {literal(_OFFSET)}, 1)"
    parsed = f"try_strptime({local}, {texts_list(formats)}) - to_minutes({signed})"
    return f"CASE WHEN {offset_given(text)} THEN {parsed} END"


def offset_given(text: str) -> str:
    """Return SQL of whether a text carries its own offset."""
    return f"regexp_matches({text}, {literal(_OFFSET)})"


def without_offset(text: str) -> str:
    """Return SQL of a text with its own offset cut off."""
    return f"regexp_replace({text}, {literal(_OFFSET)}, '\\1')"


def _trimmed(name: str) -> str:
    # a tab after an id keeps spreadsheets from rounding it; trimming more than spaces everywhere is slow
    return f"CASE WHEN contains({name}, chr(9)) THEN trim({name}, ' ' || chr(9)) ELSE trim({name}) END"


def _as_text(name: str, kind: str) -> str:
    """Return a value of Parquet as it would stand in a CSV file."""
    if kind in ("DOUBLE", "FLOAT"):
        # an id that went through a spreadsheet or a frame with gaps has become 123.0
        whole = f"{name} = trunc({name}) AND abs({name}) < 9e15"
        return (
            f"CASE WHEN {whole} THEN CAST(CAST({name} AS BIGINT) AS VARCHAR) ELSE CAST({name} AS VARCHAR) END"
        )
    if kind == "INTERVAL":
        return f"CAST(CAST(epoch({name}) AS BIGINT) AS VARCHAR) || 's'"
    return f"CAST({name} AS VARCHAR)"


def _joined(field: Field, missing: Iterable[str]) -> str:
    parts = [_trimmed(f"c{place}") for place in field.positions]
    if len(parts) == 1:
        return parts[0]
    if field.keywords:
        return f"concat_ws(' ', {', '.join(parts)})"
    empty = " ".join(f"WHEN {literal(text)} THEN NULL" for text in dict.fromkeys(["", *missing]))
    # || gives null when any part is missing
    return " || ' ' || ".join(f"(CASE {part} {empty} ELSE {part} END)" for part in parts)


def _renamed(field: Field, missing: Iterable[str]) -> str:
    choices = dict.fromkeys(["", *missing], "") | field.values
    cases = " ".join(f"WHEN {literal(a)} THEN {literal(b) if b else 'NULL'}" for a, b in choices.items())
    return f"CASE {quoted(field.name)} {cases} ELSE {quoted(field.name)} END"


def _first(field: Field, times: dict[str, Times]) -> str:
    text = quoted(field.name)
    if field.name in times:
        how = times[field.name]
        parsed = _parsed(text, how)
        return f"CASE WHEN NOT {offset_given(text)} THEN {parsed} END" if how.offset_first else parsed
    if field.name in DURATIONS:
        return _seconds(field)
    return f"try_cast({text} AS DOUBLE)" if _type(field.name) in _LARGEST and not _personal(field) else ""


def _parsed(text: str, how: Times) -> str:
    """Try the forms in order; those that were found are tried on texts of their shape only.

    A form that does not fit costs more than one that does.
    """
    groups = [
        [form for form in how.formats if not how.found or bool(_MARKED.match(form)) is marked]
        for marked in (True, False)
    ]
    short, long = (
        f"try_strptime({text}, {texts_list(group)})" if group else "NULL::TIMESTAMP" for group in groups
    )
    if short == long:
        return long
    return f"CASE WHEN {_marked(text)} THEN {short} ELSE {long} END"


def _marked(text: str) -> str:
    """Return SQL of whether a text starts with one or two digits and a mark, as 05/03/2025 does."""
    return "(" + " OR ".join(f"contains('/.-', substr({text}, {place}, 1))" for place in (2, 3)) + ")"


def mixed(how: Times) -> bool:
    """Whether the times of a column may be written with the year first and with it last."""
    return how.found and len({bool(_MARKED.match(form)) for form in how.formats}) > 1


def _seconds(field: Field) -> str:
    """Duration in seconds: a number in its unit, hours and minutes, or words."""
    text = quoted(field.name)
    base = "minutes" if field.name.endswith("_minutes") else "seconds"
    number = f"try_cast({text} AS DOUBLE)"

    def total(pattern: str, parts: Iterable[tuple[str, int, int]]) -> str:
        found = (
            f"coalesce(try_cast(regexp_extract({text}, {literal(part)}, {group}) AS DOUBLE), 0) * {seconds}"
            for part, group, seconds in parts
        )
        sign = f"CASE WHEN starts_with({text}, '-') THEN -1 ELSE 1 END"
        return f"WHEN regexp_matches({text}, {literal(pattern)}) THEN {sign} * ({' + '.join(found)})"

    clock = [(_HOURS, 1, 3600), (_HOURS, 2, 60), (_HOURS, 3, 1)]
    words = [(rf"(?i)(\d+) *{part}(?:[^a-z]|$)", 1, seconds) for part, seconds in _PARTS.items()]
    found = (
        f"CASE WHEN {number} IS NOT NULL THEN {number} * {DURATION_UNITS[field.unit or base]} "
        f"{total(_HOURS, clock)} {total(_WORDS, words)} END"
    )
    return found if field.limit is None else f"{field.limit} - ({found})"


def _value(field: Field, times: dict[str, Times], zone: str, key: str, people: Iterable[Field]) -> str:
    text, first = quoted(field.name), quoted(f"first {field.name}")
    if field.keywords:
        fits = (
            f"WHEN regexp_matches({text}, {literal(pattern)}) THEN {literal(name)}"
            for name, pattern in field.keywords.items()
        )
        return f"CASE {' '.join(fits)} END"
    if _personal(field):
        digest = f"sha256({literal(key)} || {text})"
        agent = f"'agent-' || left({digest}, 8)"
        return _one_line(
            text, agent if field.name == "agent" else f"CAST('0x' || left({digest}, 15) AS BIGINT)"
        )
    if field.name in times:
        offset = times[field.name].offset_formats
        other = offset_parts(text, offset) if offset else "NULL"
        for unit in times[field.name].unix:
            counted = f"try_cast({text} AS DOUBLE) / {UNIX[unit]}"
            moment = f"make_timestamp(CAST({counted} * 1e6 AS BIGINT))"
            other = f"coalesce({other}, CASE WHEN {counted} BETWEEN 0 AND 4e9 THEN {moment} END)"
        utc = _utc(first, zone)
        return f"date_trunc('second', CASE WHEN {first} IS NULL THEN {other} ELSE {utc} END)"
    if _type(field.name) == "BOOLEAN":
        yes, no = (among(f"lower({text})", words) for words in (TRUE, FALSE))
        return f"CASE WHEN {yes} THEN true WHEN {no} THEN false END"
    if _type(field.name) == "VARCHAR":
        # an id is a number as long as a phone's; a label is not, and a person typed it
        return _one_line(text, text if field.name == "ticket_id" else _label(text, people))
    number, whole = first, f" AND {first} = floor({first})"
    if field.name in DURATIONS:
        base = "minutes" if field.name.endswith("_minutes") else "seconds"
        number, whole = f"({first} / {DURATION_UNITS[base]})", ""
    low, high = _bounds(field)
    cast = f"CAST(round({number}) AS {_type(field.name)})"
    return f"CASE WHEN {number} BETWEEN {low} AND {high}{whole} THEN {cast} END"


def _label(text: str, people: Iterable[Field]) -> str:
    """Hide in a label what reaches somebody, and the names that stand in the same row.

    A label that is the agent's name as a whole stays: it is a group's, and the map of columns says so.
    """
    contact = literal(CONTACT)
    hidden = f"regexp_replace({text}, {contact}, '…', 'g')"
    label = f"CASE WHEN regexp_matches({text}, {contact}) THEN {hidden} ELSE {text} END"
    for name, own in ((quoted(field.name), field.name == "agent") for field in people):
        part = f"{name} <> {text} AND contains({text}, {name})" if own else f"contains({text}, {name})"
        found = f"CASE WHEN {part} AND regexp_full_match({name}, {literal(NAME)}) THEN {name} ELSE '' END"
        label = f"replace({label}, {found}, '…')"
    return label


def _vague(field: Field, own: Iterable[str]) -> str:
    """Whether a result says nothing; the text itself is not kept."""
    plain = f"regexp_replace(lower({quoted(field.name)}), {literal(_NO_LETTER)}, '', 'g')"
    return f"regexp_full_match({plain}, {literal(vague_pattern(own))})"


def _one_line(text: str, value: str) -> str:
    # several lines in a label are other rows, swallowed by a quote that is not closed: names and all
    return f"CASE WHEN NOT contains({text}, chr(10)) THEN {value} END"


def _checked(field: Field) -> list[str]:
    """Value and unread text of a field; for the two that a ticket needs also the text that is not there."""
    text, value = quoted(field.name), quoted(f"value {field.name}")
    if field.keywords:  # a text that suggests nothing is no bad value, and is not to be kept
        return [f"{value} AS {text}", f"NULL::VARCHAR AS {quoted('bad ' + field.name)}"]
    good = f"{value} IS NOT NULL"
    if is_time(field.name):
        latest = _LATEST.get(field.name, "(current_timestamp AT TIME ZONE 'UTC' + INTERVAL 1 DAY)")
        good = f"coalesce({value} BETWEEN {_EARLIEST} AND {latest}, false)"
    unread = f"coalesce({text}, '')" if field.name in REQUIRED else text
    return [
        f"CASE WHEN {good} THEN {value} END AS {text}",
        f"CASE WHEN NOT {good} THEN {unread} END AS {quoted('bad ' + field.name)}",
    ]


def _rules(exclude: Exclude, fields: tuple[Field, ...]) -> str:
    mapped = {field.name for field in fields}
    cases = []
    for rule, conditions in exclude.items():
        for name in conditions:
            if stored(name) not in mapped:
                raise SettingsError(
                    f"`source.exclude.{rule}` must look at a column that is mapped, not {name}. "
                    f"Map it under [source.columns]."
                )
        each = (among(quoted(stored(name)), values) for name, values in conditions.items())
        cases.append(f"WHEN {' AND '.join(each)} THEN {literal(rule)}")
    return f"CASE {' '.join(cases)} END" if cases else "NULL::VARCHAR"


def _utc(local: str, zone: str) -> str:
    """Local to UTC; of an hour that comes twice DuckDB takes the second, one that is skipped it moves on."""
    since, offset = steady(zone)
    slow = f"timezone('UTC', timezone({literal(zone)}, {local}))"
    return f"CASE WHEN {local} >= {since} THEN {local} - to_seconds({offset}) ELSE {slow} END"


def _odd(names: Iterable[str], zone: str, test: Callable[[str], str]) -> str:
    """Whether a row has a time, from when the zone still changed its offset, for which the test holds."""
    since, _ = steady(zone)
    tests = (f"CASE WHEN {quoted(f'first {name}')} < {since} THEN {test(name)} END" for name in names)
    return f"coalesce({' OR '.join(tests)}, false)"


def _swapped(times: dict[str, Times]) -> str:
    """Whether a row has a time that can only be read with day and month the other way round."""
    tests = []
    for name, how in times.items():
        if how.swapped:
            usual = texts_list(form for form in how.formats if form not in how.swapped)
            first = quoted(f"first {name}")
            tests.append(f"({first} IS NOT NULL AND try_strptime({quoted(name)}, {usual}) IS NULL)")
    return " OR ".join(tests) or "false"


def _round_trip(name: str, zone: str, minutes: int) -> str:
    """Whether the UTC time, put back by so many minutes, reads on the local clock as it does in the file."""
    back = f"{quoted(f'value {name}')} - INTERVAL {minutes} MINUTE"
    local = f"timezone({literal(zone)}, timezone('UTC', {back}))"
    return f"{local} = date_trunc('second', {quoted(f'first {name}')})"


def _type(name: str) -> str:
    return columns.TICKETS.get(name) or columns.PAUSES[name]


def _personal(field: Field) -> bool:
    return field.name in ("customer_key", "agent")


def _bounds(field: Field) -> tuple[int, int]:
    return field.scale or _BOUNDS.get(field.name, (0, _LARGEST[_type(field.name)]))


def texts_list(texts: Iterable[str]) -> str:
    """Texts as a list in SQL."""
    return f"[{', '.join(map(literal, texts))}]"


def among(text: str, choices: Iterable[str]) -> str:
    """Return SQL of whether a text is one of some."""
    # the engine turns IN, and what it takes for IN, into a join, after which rows may be in any order
    return f"CASE {text} {' '.join(f'WHEN {literal(choice)} THEN true' for choice in choices)} ELSE false END"

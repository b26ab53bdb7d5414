"""Which heading feeds which canonical column: presets and the settings' own map."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from importlib import resources
from typing import Any

from csimprove import columns
from csimprove.errors import Failure, SettingsError, TicketDataError
from csimprove.settings import MAPPABLE, DurationUnit, Source, nearest, parse_limit
from csimprove.tickets.files import BINARY, SourceFile, normal

#: Types of Parquet that are no single value.
_NESTED = re.compile(r"\[|STRUCT|MAP|UNION|BLOB|VARIANT")
#: Without these two a row is no ticket.
REQUIRED = ("ticket_id", "opened_at")

_EMPTY: dict[str, Any] = {
    "columns": {},
    "missing": [],
    "values": {},
    "units": {},
    "formats": [],
    "footer": False,
    "metrics": {},
}


def preset(name: str) -> dict[str, Any]:
    """Return what is known of a ticket system's export.

    Parameters
    ----------
    name
        Name of the preset, such as ``"zendesk"``.

    Returns
    -------
    dict
        ``columns`` (canonical column = headings, the first found counts), ``missing`` (texts that mean "no
        value"), ``values`` (canonical column = {text: value}), ``units``, ``formats`` (of times, beside the
        usual ones), ``footer`` (whether lines follow the table) and ``metrics`` (metric = variant).

    Raises
    ------
    SettingsError
        If there is no such preset; the message names the near misses.

    Examples
    --------
    >>> preset("zendesk")["metrics"]["reopen_rate"]
    'ever'
    """
    folder = resources.files("csimprove") / "presets"
    known = sorted(
        item.name.removesuffix(".toml") for item in folder.iterdir() if item.name.endswith(".toml")
    )
    if name not in known:
        close = nearest(name.lower(), known)
        advice = f"Did you mean {' or '.join(close)}?" if close else "Without a preset, map `source.columns`."
        raise SettingsError(f"`source.preset` must be one of {', '.join(known)}, not {name!r}. {advice}")
    data = tomllib.loads((folder / f"{name}.toml").read_text(encoding="utf-8"))
    return _EMPTY | data


@dataclass(frozen=True, slots=True)
class Field:
    """One canonical column and where it comes from."""

    name: str
    heading: str
    #: places in the file; texts of several are joined by a space
    positions: tuple[int, ...]
    #: text in the file = text to use; the empty text is "no value"
    values: dict[str, str]
    #: unit of a duration in the file
    unit: DurationUnit | None = None
    #: seconds of the limit of which the file states what is left
    limit: int | None = None
    #: lowest and highest possible rating, if declared
    scale: tuple[int, int] | None = None


def known(source: Source) -> dict[str, Any]:
    """Return what the preset of the settings knows; without one, nothing."""
    return preset(source.preset) if source.preset is not None else dict(_EMPTY)


def wanted(source: Source) -> dict[str, tuple[tuple[str, ...], ...]]:
    """Return what to look for: canonical column = possible headings, each one or several that are joined."""
    found: dict[str, tuple[tuple[str, ...], ...]] = {}
    found |= {name: tuple((one,) for one in group) for name, group in known(source)["columns"].items()}
    for name, own in source.columns.items():
        found[name] = ((own,) if isinstance(own, str) else own,)
    return found


def headings_of(source: Source) -> list[str]:
    """Return every heading that is looked for."""
    return [heading for group in wanted(source).values() for one in group for heading in one]


def missing_texts(source: Source) -> tuple[str, ...]:
    """Return the texts that mean "no value", those of the preset first."""
    return (*known(source)["missing"], *source.missing)


def map_fields(source: Source, file: SourceFile) -> tuple[Field, ...]:
    """Find the heading of every mapped column; headings of a preset may be absent, those of the settings not.

    Raises `TicketDataError` with every heading that is not there.
    """
    headings = wanted(source)
    if source.numbered:
        headings["ticket_id"] = ()
    if unmapped := [name for name in REQUIRED if name not in headings]:
        raise SettingsError(
            f"`source.columns` must map {' and '.join(unmapped)}, or `source.preset` must name a preset. "
            f"{file.name} has the headings {', '.join(file.headings)}."
        )
    failures = []
    fields = [Field("ticket_id", "", (), {})] if source.numbered else []
    facts = known(source)
    for name in (name for name in MAPPABLE if headings.get(name)):
        found = _positions(file.headings, headings[name])
        positions = [place for place in found if place is not None]
        if len(positions) == len(found):
            fields.append(_field(name, file, positions, source, facts))
            failures += [_nested(file, place) for place in positions if _is_nested(file, place)]
        elif name in source.columns or name in REQUIRED:
            absent = headings[name][0][found.index(None)]
            close = nearest(absent, file.headings)
            advice = f"did you mean {' or '.join(map(repr, close))}? " if close else ""
            reason = f"is missing ({advice}`{name}` needs it). Correct [source.columns]."
            failures.append(Failure(absent, None, "", reason))
    if failures and len(file.headings) == 1 and file.encoding not in BINARY:
        line = file.headings[0][:80]
        reason = f"has one column when split at {file.delimiter!r}: {line}. Set `delimiter` under [source]."
        failures = [Failure("", None, "", reason)]
    if failures:
        raise TicketDataError(file.name, failures)
    return tuple(fields)


def _is_nested(file: SourceFile, place: int) -> bool:
    return bool(file.types) and bool(_NESTED.search(file.types[place]))


def _nested(file: SourceFile, place: int) -> Failure:
    reason = (
        f"must hold texts, numbers or times, not {file.types[place]}. Unpack it or correct [source.columns]."
    )
    return Failure(file.headings[place], None, "", reason)


def _field(name: str, file: SourceFile, places: list[int], source: Source, facts: dict[str, Any]) -> Field:
    limit = source.remaining.get(name)
    return Field(
        stored(name),
        " + ".join(file.headings[place] for place in places),
        tuple(places),
        facts["values"].get(name, {}) | source.values.get(name, {}),
        source.units.get(name) or facts["units"].get(name),
        None if limit is None else round(parse_limit(limit).total_seconds()),
        source.scales.get(name),
    )


def named_fields(file: SourceFile, headings: dict[str, str], *, table: str) -> tuple[Field, ...]:
    """Find the headings that a table of the settings names; `TicketDataError` with all that are not there."""
    fields, failures = [], []
    for name, heading in headings.items():
        place = _position(file.headings, heading)
        if place is None:
            close = nearest(heading, file.headings)
            advice = f" (did you mean {' or '.join(map(repr, close))}?)" if close else ""
            failures.append(Failure(heading, None, "", f"is missing{advice}. Correct [{table}]."))
        else:
            fields.append(Field(name, heading, (place,), {}))
    if failures:
        raise TicketDataError(file.name, failures)
    return tuple(fields)


def pause_fields(file: SourceFile, names: tuple[str, ...]) -> tuple[Field, ...]:
    """Find the columns of a file of pauses, which are called as they are here."""
    places = {name: _position(file.headings, name) for name in names}
    if failures := [
        Failure(name, None, "", "is missing.") for name, place in places.items() if place is None
    ]:
        raise TicketDataError(file.name, failures)
    return tuple(
        Field(name, file.headings[place], (place,), {}) for name, place in places.items() if place is not None
    )


def stored(name: str) -> str:
    """Name of the canonical column that a mapped name feeds."""
    return columns.FED.get(name, name)


def repeated(fields: tuple[Field, ...], headings: tuple[str, ...]) -> int:
    """Count the mapped headings that the file has more than once; the first one is used."""
    used = {headings[place] for field in fields for place in field.positions}
    return sum(headings.count(heading) > 1 for heading in used)


def _positions(headings: tuple[str, ...], candidates: tuple[tuple[str, ...], ...]) -> list[int | None]:
    """Places of the first candidate of which every heading is there, else of the first candidate."""
    found = [[_position(headings, heading) for heading in group] for group in candidates]
    return next((places for places in found if None not in places), found[0])


def _position(headings: tuple[str, ...], heading: str) -> int | None:
    """Place of a heading: as it is, else without case and spaces."""
    if heading in headings:
        return headings.index(heading)
    loose = [normal(each) for each in headings]
    return loose.index(normal(heading)) if normal(heading) in loose else None

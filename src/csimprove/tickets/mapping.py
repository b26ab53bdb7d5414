"""Which heading feeds which canonical column: presets and the settings' own map."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib import resources
from typing import Any

from csimprove import columns
from csimprove.errors import Failure, SettingsError, TicketDataError
from csimprove.settings import MAPPABLE, DurationUnit, Source, nearest
from csimprove.tickets.files import SourceFile, normal

#: Without these two a row is no ticket.
REQUIRED = ("ticket_id", "opened_at")

_EMPTY: dict[str, Any] = {"columns": {}, "missing": [], "values": {}, "units": {}, "metrics": {}}


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
        value"), ``values`` (canonical column = {text: value}), ``units`` and ``metrics`` (metric = variant).

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
    position: int
    #: text in the file = text to use; the empty text is "no value"
    values: dict[str, str]
    #: unit of a duration in the file
    unit: DurationUnit | None = None


def wanted(source: Source) -> dict[str, tuple[str, ...]]:
    """Return what to look for: canonical column = possible headings, the settings' before the preset's."""
    own = {name: (heading,) for name, heading in source.columns.items()}
    return {name: tuple(headings) for name, headings in _known(source)["columns"].items()} | own


def missing_texts(source: Source) -> tuple[str, ...]:
    """Return the texts that mean "no value", those of the preset first."""
    return (*_known(source)["missing"], *source.missing)


def map_fields(source: Source, file: SourceFile) -> tuple[Field, ...]:
    """Find the heading of every mapped column; headings of a preset may be absent, those of the settings not.

    Raises `TicketDataError` with every heading that is not there.
    """
    headings = wanted(source)
    if unmapped := [name for name in REQUIRED if name not in headings]:
        raise SettingsError(
            f"`source.columns` must map {' and '.join(unmapped)}, or `source.preset` must name a preset. "
            f"{file.name} has the headings {', '.join(file.headings)}."
        )
    failures, fields = [], []
    known = _known(source)
    for name in (name for name in MAPPABLE if name in headings):
        position = _position(file.headings, headings[name])
        if position is not None:
            unit = source.units.get(name) or known["units"].get(name)
            values = known["values"].get(name, {}) | source.values.get(name, {})
            fields.append(Field(stored(name), file.headings[position], position, values, unit))
        elif name in source.columns or name in REQUIRED:
            close = nearest(headings[name][0], file.headings)
            advice = f"did you mean {' or '.join(map(repr, close))}? " if close else ""
            reason = f"is missing ({advice}`{name}` needs it). Correct [source.columns]."
            failures.append(Failure(headings[name][0], None, "", reason))
    if failures and len(file.headings) == 1:
        line = file.headings[0][:80]
        reason = f"has one column when split at {file.delimiter!r}: {line}. Set `delimiter` under [source]."
        failures = [Failure("", None, "", reason)]
    if failures:
        raise TicketDataError(file.name, failures)
    return tuple(fields)


def pause_fields(file: SourceFile, names: tuple[str, ...]) -> tuple[Field, ...]:
    """Find the columns of a file of pauses, which are called as they are here."""
    places = {name: _position(file.headings, (name,)) for name in names}
    if failures := [
        Failure(name, None, "", "is missing.") for name, place in places.items() if place is None
    ]:
        raise TicketDataError(file.name, failures)
    return tuple(
        Field(name, file.headings[place], place, {}) for name, place in places.items() if place is not None
    )


def stored(name: str) -> str:
    """Name of the canonical column that a mapped name feeds."""
    return "customer_key" if name == columns.CUSTOMER else name


def repeated(fields: tuple[Field, ...], headings: tuple[str, ...]) -> int:
    """Count the mapped headings that the file has more than once; the first one is used."""
    return sum(headings.count(heading) > 1 for heading in {field.heading for field in fields})


def _known(source: Source) -> dict[str, Any]:
    return preset(source.preset) if source.preset is not None else dict(_EMPTY)


def _position(headings: tuple[str, ...], candidates: tuple[str, ...]) -> int | None:
    """Place of the first candidate that is there: exact ones first, then without case and spaces."""
    loose = [normal(heading) for heading in headings]
    for names, look in ((headings, str), (loose, normal)):
        for candidate in map(look, candidates):
            if candidate in names:
                return names.index(candidate)
    return None

"""Where the tickets are and how their file is read."""

from __future__ import annotations

import codecs
from typing import Any, Literal

from pydantic import field_validator

from csimprove import columns
from csimprove.settings.base import Frozen
from csimprove.settings.texts import known_zone, members, parse_limit

#: Units in which a source column may state a duration, in seconds.
DURATION_UNITS = {"milliseconds": 0.001, "seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}
DurationUnit = Literal["milliseconds", "seconds", "minutes", "hours", "days"]

#: What a heading may be mapped to: every canonical column that is not computed, and the customer.
MAPPABLE = (
    *(name for name in columns.TICKETS if name not in ("row", "recontact_at", *columns.FED.values())),
    *columns.FED,
)
#: Canonical columns that hold a duration.
DURATIONS = tuple(name for name in columns.TICKETS if name.endswith(("_minutes", "_seconds")))


class Source(Frozen):
    """Where the tickets are and how their file is to be read."""

    #: a file, a folder, or a pattern such as "exports/2025-*.csv": CSV, XLSX, Parquet or a DuckDB database
    path: str
    #: table of a DuckDB database, sheet of a workbook; none: the only table, the first sheet
    table: str | None = None
    preset: str | None = None
    #: canonical column = heading in the file, or several whose texts are joined by a space, as a day and a
    #: clock; wins over the preset
    columns: dict[str, str | tuple[str, ...]] = {}
    #: canonical duration column = unit in the file; wins over the preset
    units: dict[str, DurationUnit] = {}
    #: canonical duration column = limit: the file states what is left of it, below 0 when it is passed
    remaining: dict[str, str] = {}
    #: zone of the times in the file, an IANA name
    zone: str = "UTC"
    #: formats of times, strptime style or "unix" (seconds) or "unix_ms", tried in order; empty: found from
    #: the file, which must tell whether the day or the month comes first
    formats: tuple[str, ...] = ()
    #: texts that mean "no value", beside the empty text and those of the preset
    missing: tuple[str, ...] = ()
    #: canonical column = {text in the file = value to use}; ticket values not listed stay as they are
    values: dict[str, dict[str, str]] = {}
    #: name of a rule = {canonical column = texts}: tickets left out, counted under that name. All columns
    #: of a rule must match, as they read after ``values``; of several matching rules the first one counts
    exclude: dict[str, dict[str, tuple[str, ...]]] = {}
    #: csat or nps_score = lowest and highest possible rating; none: csat is 1-5, nps_score as the data tell
    scales: dict[str, tuple[int, int]] = {}
    #: rows have no id: the line is the id, so that a row that occurs twice cannot be found
    numbered: bool = False
    #: rows are calls: the queue's wait runs from opening to first response, a call without one is abandoned;
    #: mapped columns win
    calls: bool = False
    #: rows are events of tickets, ``opened_at`` is when each happened: a ticket opens with its first event.
    #: Column of times = texts of ``status`` (none: any) of which the last one tells it, of first_response_at
    #: and reopened_at the first one
    events: dict[str, tuple[str, ...]] = {}
    #: file of pauses: columns ticket_id, start_at, end_at
    pauses: str | None = None
    #: what stands between two values; none: found from the heading
    delimiter: str | None = None
    #: a name that Python knows; none: UTF-8, UTF-16 with its mark, else GB18030
    encoding: str | None = None

    @field_validator("columns", "values")
    @classmethod
    def _known_columns(cls, value: dict[str, Any]) -> dict[str, Any]:
        members(value, MAPPABLE, "a column that can be mapped")
        return value

    @field_validator("units", "remaining")
    @classmethod
    def _known_durations(cls, value: dict[str, str]) -> dict[str, str]:
        members(value, DURATIONS, "a column of durations")
        return value

    @field_validator("remaining")
    @classmethod
    def _limits(cls, value: dict[str, str]) -> dict[str, str]:
        for limit in value.values():
            parse_limit(limit)
        return value

    @field_validator("events")
    @classmethod
    def _known_times(cls, value: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        times = [
            name for name in MAPPABLE if columns.TICKETS.get(name) == "TIMESTAMP" and name != "opened_at"
        ]
        members(value, times, "a column of times after the opening")
        return value

    @field_validator("scales")
    @classmethod
    def _known_scales(cls, value: dict[str, tuple[int, int]]) -> dict[str, tuple[int, int]]:
        members(value, ("csat", "nps_score"), "a column of ratings")
        for name, (low, high) in value.items():
            if low >= high or high > 1000 or low < 0:
                raise ValueError(f"{name}: a scale must be like [1, 5], lowest first, not [{low}, {high}]")
        if (own := value.get("nps_score")) and own not in ((0, 10), (1, 10)):
            raise ValueError(
                f"nps_score: promoters are 9-10 and detractors 0-6, so the scale must be [0, 10] or [1, 10], "
                f"not [{own[0]}, {own[1]}]. Map other ratings to csat"
            )
        return value

    @field_validator("exclude")
    @classmethod
    def _known_rules(
        cls, value: dict[str, dict[str, tuple[str, ...]]]
    ) -> dict[str, dict[str, tuple[str, ...]]]:
        for rule, conditions in value.items():
            if rule == "duplicate_id" or not conditions:
                raise ValueError(
                    f"a rule must name a column and must not be called duplicate_id, not {rule!r}"
                )
            members(conditions, MAPPABLE, "a column that can be mapped")
        return value

    @field_validator("delimiter")
    @classmethod
    def _one_character(cls, value: str | None) -> str | None:
        if value is not None and len(value) != 1:
            raise ValueError(f'must be one character such as ";" or "\\t", not {value!r}')
        return value

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str | None) -> str | None:
        try:
            codecs.lookup(value or "utf-8")
        except LookupError:
            raise ValueError(f'must be an encoding such as "gb18030" or "cp1252", not {value!r}') from None
        return value

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        return known_zone(value)

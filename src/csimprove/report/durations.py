"""How long things take, as a table."""

from __future__ import annotations

from typing import Any

from csimprove import wording
from csimprove.metrics import HORIZONS
from csimprove.pilot import PilotResult
from csimprove.report.blocks import Block, Cell, cell, escaped, table
from csimprove.report.headers import Result
from csimprove.settings import Language
from csimprove.wording import count, text


def durations_table(result: Result, *, language: Language = "en") -> Block:
    """Return median, P90 and restricted mean of first response and resolution, open tickets included.

    Parameters
    ----------
    result
        A baseline or a pilot.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    Block
        One row a measure and clock; of a pilot one a measure, clock, arm and period.
    """
    rows: list[Any] = result.durations.to_dict("records")
    if not rows:
        title = text("title.durations.none", language)
        return Block(f"<section><h2>{escaped(title)}</h2></section>", title)
    caps = {measure: wording.duration(minutes, language) for measure, minutes in HORIZONS.items()}
    if isinstance(result, PilotResult):
        about = text("caption.durations.pilot", language, **wording.spoken_pilot(result, language))
    else:
        about = text("caption.durations", language, **wording.spoken_baseline(result, language))
    keys = ("duration", "tickets", "still_open", "median", "p90", "capped_mean")
    return table(
        title=text("title.durations", language),
        head=[text(f"head.{key}", language) for key in keys],
        rows=[_row(row, language) for row in rows],
        language=language,
        caption=about + {"en": " ", "zh": ""}[language] + text("caption.durations.method", language, **caps),
        kind="left",
        numeric=range(1, len(keys)),
    )


def _row(row: dict[str, Any], language: Language) -> list[Cell | str]:
    what = text(f"duration.{row['measure']}", language)
    notes = [text(f"duration.{row['clock']}", language)]
    if "arm" in row:
        arm, period = text(f"arm.{row['arm']}", language), text(f"period.{row['period']}", language)
        notes.append(text("head.arm_period", language, arm=arm, period=period))
    label = Cell(
        escaped(what) + "".join(f"<small>{escaped(note)}</small>" for note in notes),
        f"{what} ({'; '.join(notes)})",
    )
    spans = (("median", "median"), ("p90", "p90"), ("restricted_mean", "mean"))
    return [
        label,
        count(row["n"]),
        count(row["censored"]),
        *(_figure(row[name], row[f"{short}_low"], row[f"{short}_high"], language) for name, short in spans),
    ]


def _figure(value: float, low: float, high: float, language: Language) -> Cell:
    if wording.missing(value):
        return cell(text("duration.not_reached", language))
    said, span = wording.duration(value, language), wording.duration_interval(value, low, high, language)
    return Cell(f"<b>{escaped(said)}</b><small>{escaped(span)}</small>", f"{said} ({span})")

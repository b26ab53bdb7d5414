"""How long things take, as a table."""

from __future__ import annotations

from typing import Any

from csimprove import wording
from csimprove.metrics import HORIZONS
from csimprove.pilot import PilotResult
from csimprove.report.blocks import Block, Cell, heads, noted, paragraph, phrased
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
        return paragraph(text("title.durations.none", language))
    caps = {measure: wording.duration(minutes, language) for measure, minutes in HORIZONS.items()}
    if isinstance(result, PilotResult):
        about = text("caption.durations.pilot", language, **wording.spoken_pilot(result, language))
    else:
        about = text("caption.durations", language, **wording.spoken_baseline(result, language))
    keys = ("duration", "tickets", "still_open", "median", "p90", "capped_mean")
    about += {"en": " ", "zh": ""}[language] + text("caption.durations.method", language, **caps)
    head, made = heads(keys, language), [_row(row, language) for row in rows]
    return phrased("durations", head, made, language, caption=about, kind="left", numeric=range(1, len(keys)))


def _row(row: dict[str, Any], language: Language) -> list[Cell | str]:
    what = text(f"duration.{row['measure']}", language)
    notes = [text(f"duration.{row['clock']}", language)]
    if "arm" in row:
        arm, period = text(f"arm.{row['arm']}", language), text(f"period.{row['period']}", language)
        notes.append(text("head.arm_period", language, arm=arm, period=period))
    spans = (("median", "median"), ("p90", "p90"), ("restricted_mean", "mean"))
    return [
        noted(what, *notes),
        count(row["n"]),
        count(row["censored"]),
        *(_figure(row[name], row[f"{short}_low"], row[f"{short}_high"], language) for name, short in spans),
    ]


def _figure(value: float, low: float, high: float, language: Language) -> Cell | str:
    if wording.missing(value):
        return text("duration.not_reached", language)
    span = wording.duration_interval(value, low, high, language)
    return noted(wording.duration(value, language), span, strong=True)

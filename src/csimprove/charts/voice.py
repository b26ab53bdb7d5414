"""Figures of surveys: the themes that people name."""

from __future__ import annotations

from matplotlib.figure import Figure

from csimprove import wording
from csimprove.charts import theme
from csimprove.charts.sheet import Sheet, estimate
from csimprove.charts.theme import scale
from csimprove.settings import Language
from csimprove.voice import VoiceResult

#: Themes that are drawn: those named most.
_MOST = 10


@theme.drawn
def voice_themes(
    result: VoiceResult, survey: str | None = None, *, language: Language = "en"
) -> Figure | None:
    """Draw the share of people who name each theme, with its 95 % interval.

    Parameters
    ----------
    result
        What was said.
    survey
        One of its surveys; ``None``: the one whose first theme has the largest share.
    language
        Language of the words.

    Returns
    -------
    Figure
        One row a theme, the most frequent first, at most ten; ``None`` if no answer is classed.
    """
    rows = result.themes_of(survey).iloc[:_MOST].to_dict("records")
    if not rows:
        return None
    left = theme.column([row["theme"] for row in rows], theme.TICK)
    pitch, top = 27.0, 6.0
    axis = scale([0.0, *(row["ci_high"] for row in rows)], "share")
    sheet = Sheet(top + len(rows) * pitch + 46, language)
    panel = sheet.value_rows(left, top, sheet.width - 150 - left, len(rows) * pitch, axis)
    for place, row in enumerate(rows):
        y = (place + 0.5) * pitch
        estimate(panel, y, row["share"], row["ci_low"], row["ci_high"])
        n = wording.text(
            "themes.named", language, n=wording.count(row["n"]), asked=wording.count(row["asked"])
        )
        sheet.row_words(panel, panel.top + y + 4, row["theme"], n)
        value = wording.percent(row["share"])
        sheet.text(sheet.width - 82, panel.top + y + 4, value, "name", color=theme.PILOT, align="right")
    sheet.axis_label(panel, "x", "axis_named")
    return sheet.figure

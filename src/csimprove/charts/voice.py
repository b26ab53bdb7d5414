"""Figures of surveys: the themes that people name."""

from __future__ import annotations

from matplotlib.figure import Figure

from csimprove import wording
from csimprove.charts import theme
from csimprove.charts.sheet import Sheet, estimate
from csimprove.charts.theme import scale, text_width
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
    said = [
        wording.text("themes.named", language, n=wording.count(row["n"]), asked=wording.count(row["asked"]))
        for row in rows
    ]
    above = theme.ABOVE if theme.narrow() else 0.0
    pitch, top = 27.0 + above, 6.0
    # px from the shares to the right edge, where the counts stand unless they stand above
    end = 0.0 if above else max(82.0, *(text_width(words, theme.TICK) + 18 for words in said))
    axis = scale([0.0, *(row["ci_high"] for row in rows)], "share")
    sheet = Sheet(top + len(rows) * pitch + 46, language)
    panel = sheet.value_rows(left, top, sheet.width - 68 - end - left, len(rows) * pitch, axis)
    for place, (row, words) in enumerate(zip(rows, said, strict=True)):
        y = (place + 0.5) * pitch + above / 2
        estimate(panel, y, row["share"], row["ci_low"], row["ci_high"])
        sheet.row_words(panel, panel.top + y + 4, row["theme"], words)
        value = wording.percent(row["share"])
        sheet.text(sheet.width - end, panel.top + y + 4, value, "name", color=theme.PILOT, align="right")
    sheet.axis_label(panel, "x", "axis_named")
    return sheet.figure

"""What is said of surveys: figures of a question, headline, the words around the chart of themes."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from csimprove.settings import Language
from csimprove.wording.figures import FigureWords, figure_words
from csimprove.wording.lookup import listed, text
from csimprove.wording.numbers import NO_NUMBER, count, interval, number, percent, period_text
from csimprove.wording.pdca import month_text

if TYPE_CHECKING:  # wording needs no engine
    import pandas as pd

    from csimprove.voice import VoiceResult

#: Of the statistics of a question, the one that speaks for it.
_MAIN = ("yes", "nps", "top_two", "mean")


def score_text(row: dict[Any, Any], language: Language = "en") -> tuple[str, str]:
    """Return a figure of a survey and its interval, without its name.

    Examples
    --------
    >>> score_text({"statistic": "nps", "value": 7.54, "ci_low": 3.7, "ci_high": 11.4})
    ('+7.5', '+3.7 to +11.4')
    >>> score_text({"statistic": "yes", "value": 0.9, "ci_low": 0.699, "ci_high": 0.972})
    ('90.0%', '69.9 to 97.2')
    """
    value, low, high = row["value"], row["ci_low"], row["ci_high"]
    if row["statistic"] in ("yes", "top_two"):
        return percent(value), interval(low, high, "share", language)
    signed = row["statistic"] == "nps"
    span = interval(low, high, "minutes", language)
    if signed and span != NO_NUMBER:
        joint = {"en": " to ", "zh": "至"}[language]
        span = joint.join(number(end, "minutes", sign=True) for end in (low, high))
    return number(value, "minutes", sign=signed), span


def main_figures(rows: pd.DataFrame) -> list[dict[Any, Any]]:
    """Return the figure that speaks for each question and group of some rows."""
    rows = rows.assign(order=rows["statistic"].map({name: place for place, name in enumerate(_MAIN)}))
    keys = ["survey", "role", "question", "low", "high", "group"]
    best = rows.dropna(subset=["order"]).sort_values("order", kind="stable").drop_duplicates(keys)
    return best.sort_index().to_dict("records")


def survey_month(month: str, language: Language = "en") -> str:
    """Return a month such as 2025-08 as people write it.

    Examples
    --------
    >>> survey_month("2025-08"), survey_month("2025-08", "zh")
    ('Aug 2025', '2025年8月')
    """
    return month_text(date.fromisoformat(f"{month}-01"), language)


def scale_text(low: float, high: float, language: Language = "en") -> str:
    """Return a scale as words.

    Examples
    --------
    >>> scale_text(0, 1), scale_text(1, 5, "zh")
    ('yes or no', '1至5')
    """
    if (low, high) == (0, 1):
        return text("scale.yes_no", language)
    return text("scale", language, low=f"{low:g}", high=f"{high:g}")


def said_figure(row: dict[Any, Any], language: Language = "en") -> str:
    """Return a figure with its name, such as "NPS +7.5"."""
    return text(f"statistic.{row['statistic']}", language, value=score_text(row, language)[0])


def voice_period(result: VoiceResult, language: Language = "en") -> str:
    """Return the days of the answers."""
    if result.first is None or result.last is None:
        return NO_NUMBER
    return period_text(result.first, result.last, language)


def voice_headline(result: VoiceResult, language: Language = "en") -> str:
    """Return the finding of the surveys: the question with most answers, in its latest month."""
    figures = main_figures(result.of("all"))
    if figures:
        row = max(figures, key=lambda one: one["n"])
        keys = ("survey", "role", "question", "low", "high")
        months = [
            one for one in main_figures(result.of("month")) if all(one[key] == row[key] for key in keys)
        ]
        row, when = (months or [row])[-1], ""
        if months:
            when = text("headline.voice.when", language, month=survey_month(row["group"], language))
        words = {"question": _asked(row["question"], language), "n": count(row["n"]), "when": when}
        words |= {"value": said_figure(row, language), "interval": score_text(row, language)[1]}
        return text("headline.voice", language, **words)
    if len(result.themes):
        return text("headline.voice.themes", language, **theme_words(result.themes.iloc[0].to_dict()))
    return text("headline.voice.empty", language)


def _asked(question: str, language: Language) -> str:
    """Return a question as it stands before its answer."""
    return question if question[-1:] in "?？" else question + {"en": ":", "zh": "："}[language]


def theme_words(row: dict[Any, Any]) -> dict[str, str]:
    """Return one theme as texts."""
    return {"theme": row["theme"], "n": count(row["n"]), "asked": count(row["asked"])}


def voice_themes(result: VoiceResult, survey: str | None = None, *, language: Language = "en") -> FigureWords:
    """Return the words around the chart of themes.

    Parameters
    ----------
    result
        What was said.
    survey
        One of its surveys; ``None``: the first with themes.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    FigureWords
        Heading, one line, caption and alt text.
    """
    rows = result.themes_of(survey)
    if rows.empty:
        title = text("figure.themes.title.none", language)
        return FigureWords(title=title, lede="", caption="", alt=title)
    first = rows.iloc[0].to_dict()
    items = (
        text("figure.themes.item", language, theme=row["theme"], share=percent(row["share"]))
        for row in rows.to_dict("records")
    )
    words = theme_words(first) | {"survey": first["survey"], "period": voice_period(result, language)}
    return figure_words("themes", language, words | {"items": listed(items, language)})

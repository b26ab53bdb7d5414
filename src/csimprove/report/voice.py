"""Blocks about surveys: answers, themes, samples, feedback closed, comments, and how they were read."""

from __future__ import annotations

from typing import Any

from csimprove import wording
from csimprove.report.blocks import (
    Block,
    Cell,
    escaped,
    heads,
    named,
    noted,
    paragraph,
    phrased,
    stacked,
    state,
)
from csimprove.report.headers import top
from csimprove.settings import Language
from csimprove.tickets import SurveyReading
from csimprove.voice import VoiceResult
from csimprove.wording import NO_NUMBER, count, interval, percent, text

#: Comments and unread values that are shown by way of example.
_SHOWN = 12


def voice_masthead(result: VoiceResult, *, language: Language = "en") -> Block:
    """Return kicker, facts and the finding of the surveys.

    Parameters
    ----------
    result
        What was said.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    Block
        To be shown first.
    """
    facts = {
        "period": wording.voice_period(result, language),
        "answers": count(sum(reading.used for reading in result.readings)),
        "as_of": wording.moment_text(result.as_of, result.zone, language),
        "surveys": count(len(result.readings)),
    }
    return top("voice", facts, wording.voice_headline(result, language), language)


def satisfaction_table(result: VoiceResult, *, language: Language = "en") -> Block:
    """Return every question with mean, CSI and share of favourable answers.

    Parameters
    ----------
    result
        What was said.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    Block
        One row a question and scale; one line if there is none.
    """
    title = text("title.satisfaction", language)
    if not result.readings:
        return paragraph(title, text("voice.none", language))
    rows: list[list[Cell | str]] = []
    keys = ["survey", "role", "question", "low", "high"]
    for _, own in result.of("all").groupby(keys, sort=False):
        found = {row["statistic"]: row for row in own.to_dict("records")}
        one = next(iter(found.values()))
        answers = noted(count(one["n"]), *([text("voice.thin", language)] if one["thin"] else []))
        favourable = next((found[key] for key in ("yes", "nps", "top_two") if key in found), None)
        rows.append(
            [
                named(one["question"], f"{one['survey']}, {text('role.' + one['role'], language)}"),
                wording.scale_text(one["low"], one["high"], language),
                answers,
                _figure(found.get("mean"), language),
                _figure(found.get("csi"), language),
                NO_NUMBER if favourable is None else _figure(favourable, language, said=True),
            ]
        )
    if not rows:
        return paragraph(title, text("voice.none.period", language))
    head = heads(("question", "scale", "answers", "mean", "csi", "favourable"), language)
    words = {"period": wording.voice_period(result, language)}
    table = phrased("satisfaction", head, rows, language, words, kind="eval wide", numeric=range(2, 6))
    said = [text(f"remark.{one.code}", language, question=one.question) for one in result.remarks]
    notes = (Block(f"<p>{escaped(line)}</p>", line) for line in said)
    return stacked(table, *notes)


def _figure(row: dict[Any, Any] | None, language: Language, *, said: bool = False) -> Cell | str:
    if row is None:
        return NO_NUMBER
    value, span = wording.score_text(row, language)
    value = wording.said_figure(row, language) if said else value
    return noted(value, *([span] if span != NO_NUMBER else []), strong=True)


def voice_cut_table(result: VoiceResult, cut: str, *, language: Language = "en") -> Block:
    """Return the main figure of every question by group or by month.

    Parameters
    ----------
    result
        What was said.
    cut
        ``"group"`` or ``"month"``.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    Block
        One row a group, one column a question; one line if no question has two groups.
    """
    figures = wording.main_figures(result.of(cut))
    if not figures:
        return paragraph(text(f"title.voice_cut.none.{cut}", language))
    questions = list(dict.fromkeys((row["question"], row["survey"]) for row in figures))
    found = {(row["group"], row["question"], row["survey"]): row for row in figures}
    rows: list[list[Cell | str]] = []
    for group in sorted({row["group"] for row in figures}):
        cells: list[Cell | str] = [wording.survey_month(group, language) if cut == "month" else group]
        for question in questions:
            row = found.get((group, *question))
            if row is None:
                cells.append(NO_NUMBER)
                continue
            span = wording.score_text(row, language)[1]
            n = text("chart.tickets", language, count=count(row["n"]))
            cells.append(noted(wording.said_figure(row, language), span, n, strong=True))
        rows.append(cells)
    key = "month" if cut == "month" else "group"
    head = [
        wording.capital(text(f"head.{key}", language)),
        *(f"{one}\n{survey}" for one, survey in questions),
    ]
    title = text(f"title.voice_cut.{cut}", language)
    return phrased("voice_cut", head, rows, language, title=title, kind="cuts", numeric=range(1, len(head)))


def themes_table(result: VoiceResult, *, language: Language = "en") -> Block:
    """Return what people name, by survey, with the share of those who answered.

    Parameters
    ----------
    result
        What was said.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    Block
        One row a theme; one line if no answer is classed, nothing without a survey.
    """
    if result.themes.empty:  # without any survey another line has said so
        return paragraph(text("title.themes.none", language)) if result.readings else Block("", "")
    rows: list[list[Cell | str]] = []
    for row in result.themes.to_dict("records"):
        role = text(f"role.{row['role']}", language)
        span = interval(row["ci_low"], row["ci_high"], "share", language)
        named_by = text("themes.named", language, n=count(row["n"]), asked=count(row["asked"]))
        rows.append([named(row["theme"], f"{row['survey']}, {role}"), named_by, percent(row["share"]), span])
    first = result.themes.sort_values("share", ascending=False, kind="stable").iloc[0].to_dict()
    words = wording.theme_words(first) | {"period": wording.voice_period(result, language)}
    head = heads(("theme", "named_by", "share", "interval"), language)
    return phrased("themes", head, rows, language, words, kind="eval", numeric=range(1, 4))


def samples_table(result: VoiceResult, *, language: Language = "en") -> Block:
    """Return what share of the customers served answered the monthly survey.

    Parameters
    ----------
    result
        What was said.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    Block
        One row a survey and month; one line if the number served is not known.
    """
    if result.samples.empty:
        return paragraph(text("title.samples.none", language))
    rows: list[list[Cell | str]] = []
    for row in result.samples.to_dict("records"):
        name, key = ("good", "enough") if row["enough"] else ("bad", "short")
        said = [text(f"sample.{key}", language)]
        if not row["complete"]:
            name, said = "open", [*said, text("sample.partial", language)]
        numbers = [count(row["answered"]), count(row["served"]), percent(row["share"])]
        colon = {"en": "; ", "zh": "；"}[language]
        rows.append(
            [
                named(wording.survey_month(row["month"], language), row["survey"]),
                *numbers,
                state(name, colon.join(said)),
            ]
        )
    complete = result.samples[result.samples["complete"].astype(bool)]
    least = percent(result.samples["least"].iloc[0], places=0)
    words = {"k": count(complete["enough"].sum()), "n": count(len(complete)), "least": least}
    head = heads(("month", "answered", "served", "share", "state"), language)
    return phrased("samples", head, rows, language, words, kind="eval", numeric=range(1, 4))


def feedback_table(result: VoiceResult, *, language: Language = "en") -> Block:
    """Return how much feedback was classed, and closed with the customer within 24 h.

    Parameters
    ----------
    result
        What was said.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    Block
        One row a survey; one line if nobody left any.
    """
    if result.feedback.empty:
        return paragraph(text("title.feedback.none", language))
    rows: list[list[Cell | str]] = []
    closed = ""
    for row in result.feedback.to_dict("records"):
        last: Cell | str = NO_NUMBER
        if not wording.missing(row["share"]):
            closed = percent(row["share"])
            span = interval(row["ci_low"], row["ci_high"], "share", language)
            of = text("feedback.of", language, n=count(row["in_time"]), asked=count(row["decided"]))
            last = noted(closed, span, of, strong=True)
        rows.append([row["survey"], count(row["n"]), count(row["classed"]), last])
    sums = result.feedback[["n", "classed"]].sum()
    words = {"closed": closed, "n": count(sums["n"]), "classed": count(sums["classed"])}
    title = text("title.feedback" if closed else "title.feedback.classed", language, **words)
    head = heads(("survey", "feedback", "classed", "closed_in_time"), language)
    return phrased("feedback", head, rows, language, words, title=title, kind="eval", numeric=range(1, 4))


def comments_table(result: VoiceResult, *, language: Language = "en") -> Block:
    """Return the latest comments, masked.

    Parameters
    ----------
    result
        What was said.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    Block
        At most twelve; one line if none was asked for.
    """
    if not result.comments:
        return paragraph(text("title.comments.none", language))
    joint = {"en": "; ", "zh": "；"}[language]
    rows = [
        [
            wording.date_text(one.date, language),
            one.text,
            joint.join(one.themes) or NO_NUMBER,
            wording.group_name(one.group, language),
        ]
        for one in result.comments[:_SHOWN]
    ]
    words = {"n": count(len(result.comments)), "shown": count(len(rows))}
    return phrased(
        "comments", heads(("day", "comment", "theme", "group"), language), rows, language, words, kind="left"
    )


def surveys_table(readings: tuple[SurveyReading, ...], *, language: Language = "en") -> Block:
    """Return what was read of each survey, down to single values that could not be read.

    Parameters
    ----------
    readings
        Of a result, or of `csimprove.tickets.read_surveys`.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    Block
        One row a survey; nothing if there is none.
    """
    if not readings:
        return Block("", "")
    rows: list[list[Cell | str]] = [
        [named(one.survey, one.source), *map(count, (one.rows, one.rejected_rows, one.empty, one.used))]
        for one in readings
    ]
    words = {name: count(sum(getattr(one, name) for one in readings)) for name in ("rows", "used")}
    head = heads(("survey", "read", "rejected", "empty", "used"), language)
    table = phrased("surveys", head, rows, language, words, kind="left", numeric=range(1, 5))
    unread = [(one.survey, reject) for one in readings for reject in one.rejects][:_SHOWN]
    if not unread:
        return table
    bad = [[survey, str(one.row or NO_NUMBER), one.column, one.value, one.reason] for survey, one in unread]
    keys = ("survey", "row", "column", "shown_value", "reason")
    return stacked(table, phrased("rejects", heads(keys, language), bad, language, caption="", sub=True))

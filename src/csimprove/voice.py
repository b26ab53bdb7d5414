"""What customers and staff say: scores by survey and question, themes, shares asked, feedback closed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from csimprove import inference
from csimprove.errors import SettingsError
from csimprove.plain import Plain
from csimprove.settings import PilotPlan, Settings, StaffFeedback, near
from csimprove.tickets import Answers, Reading, SurveyReading

#: Fewer answers are marked thin.
THIN_ANSWERS = 30
#: Hours within which feedback is closed with the customer.
CLOSED_WITHIN = timedelta(hours=24)
#: Points of scales on which the two best answers mean "satisfied".
_TOP_TWO = range(4, 8)
#: Lowest answers of a promoter and of a passive on 0-10.
_PROMOTER, _PASSIVE = 9, 7

Statistic = Literal["mean", "csi", "top_two", "nps", "yes"]


@dataclass(frozen=True, slots=True)
class Remark(Plain):
    """Something about the answers that a reader must know.

    Parameters
    ----------
    code
        ``several_scales``: the question was asked on more than one scale, each has figures of its own;
        ``no_zero``: nobody gave a 0 on a scale from 0, which may have begun at 1.
    survey, question
        Where.
    """

    code: Literal["several_scales", "no_zero"]
    survey: str
    question: str


@dataclass(frozen=True, slots=True)
class Comment(Plain):
    """A comment, masked, of a survey whose settings ask for them."""

    survey: str
    date: date
    group: str
    themes: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class VoiceResult(Plain):
    """What was said in one period.

    Parameters
    ----------
    figures
        Columns ``survey, role, question, low, high, cut, group, statistic, n, value, ci_low, ci_high, thin``.
        ``cut`` is ``all``, ``group`` or ``month``. ``statistic``: ``mean`` of the score; ``csi``, the mean
        stretched to 0-100; ``top_two``, share (0-1) of the two best answers on a scale of 4 to 7 points;
        ``nps``, promoters (9-10) minus detractors (0-6) in points, on 0-10 only; ``yes``, share (0-1) on
        yes/no. 95 % intervals: Wilson for shares, t for the others; answers are taken as independent.
    themes
        Columns ``survey, role, theme, n, asked, share, ci_low, ci_high``, the most frequent first: people who
        name the theme among those who answered, with the Wilson interval.
    samples
        Columns ``survey, month, answered, served, share, least, enough, complete``: different customers who
        answered a monthly survey, and different customers who opened a ticket in that month.
    feedback
        Columns ``survey, n, classed, decided, in_time, share, ci_low, ci_high``: answers of customers with a
        comment or a theme; those with a theme; those at least 24 h old, of which were closed with the
        customer within 24 h. ``decided`` is missing if the file has no times of closing.
    comments
        Masked, the latest first; only of surveys whose settings ask for them.
    remarks
        What a reader must know.
    readings
        What was read of each survey.
    first, last, as_of, zone
        Days of the first and the last answer (``None`` without any), moment of the snapshot.
    """

    figures: pd.DataFrame
    themes: pd.DataFrame
    samples: pd.DataFrame
    feedback: pd.DataFrame
    comments: tuple[Comment, ...]
    remarks: tuple[Remark, ...]
    readings: tuple[SurveyReading, ...]
    first: date | None
    last: date | None
    as_of: datetime
    zone: str

    def of(self, cut: str) -> pd.DataFrame:
        """Return the figures of one cut: ``all``, ``group`` or ``month``."""
        return self.figures[self.figures["cut"] == cut]

    def themes_of(self, survey: str | None = None) -> pd.DataFrame:
        """Return the themes of one survey; ``None``: the one whose first theme has the largest share.

        Raises
        ------
        SettingsError
            If that survey has no themes; the message names those that have.
        """
        known = list(dict.fromkeys(self.themes["survey"]))
        if survey is not None and survey not in known:
            listed = ", ".join(known) or "none: no answer is classed"
            raise SettingsError(f"`survey` must be one with themes ({listed}), not {survey!r}.")
        if survey is None and known:
            survey = self.themes.sort_values("share", ascending=False, kind="stable")["survey"].iloc[0]
        return self.themes[self.themes["survey"] == survey]


_FIGURES = (
    "survey", "role", "question", "low", "high", "cut", "group", "statistic", "n", "value",
    "ci_low", "ci_high", "thin",
)  # fmt: skip
_THEMES = ("survey", "role", "theme", "n", "asked", "share", "ci_low", "ci_high")
_SAMPLES = ("survey", "month", "answered", "served", "share", "least", "enough", "complete")
_FEEDBACK = ("survey", "n", "classed", "decided", "in_time", "share", "ci_low", "ci_high")


def voice(
    answers: Answers,
    *,
    settings: Settings,
    reading: Reading,
    as_of: datetime,
    before_pilot: bool = False,
) -> VoiceResult:
    """Tell what customers and staff say.

    Parameters
    ----------
    answers
        Of `csimprove.tickets.read_surveys`.
    settings
        The project: its surveys, its zone, its pilot.
    reading
        What was read of the tickets: it knows how many customers each month served.
    as_of
        Moment of the snapshot; later answers are not there.
    before_pilot
        Only answers before the pilot's first day, for the baseline.

    Returns
    -------
    VoiceResult
        Scores with intervals, themes, shares asked, feedback closed.

    Notes
    -----
    CSI is (mean - low) / (high - low) x 100. NPS needs a scale declared as 0-10: on another one promoters and
    detractors have no meaning. A question asked on two scales is never pooled over them.
    """
    now = pd.Timestamp(as_of.astimezone(ZoneInfo(settings.calendar.zone)).replace(tzinfo=None))
    frame = answers.frame[answers.frame["date"] <= now]
    if before_pilot and settings.pilot is not None:
        frame = frame[frame["date"] < pd.Timestamp(settings.pilot.during[0])]
    days = frame["date"].dt.date
    return VoiceResult(
        figures=pd.DataFrame(_figures(frame), columns=list(_FIGURES)),
        themes=pd.DataFrame(_themes(frame), columns=list(_THEMES)),
        samples=pd.DataFrame(_samples(frame, settings, reading, now), columns=list(_SAMPLES)),
        feedback=pd.DataFrame(_feedback(frame, answers.readings, now), columns=list(_FEEDBACK)),
        comments=_comments(frame),
        remarks=tuple(_remarks(frame)),
        readings=answers.readings,
        first=days.min() if len(days) else None,
        last=days.max() if len(days) else None,
        as_of=as_of,
        zone=settings.calendar.zone,
    )


def staff_feedback(answers: Answers, *, plan: PilotPlan) -> StaffFeedback | None:
    """Count the pilot's staff who find the process clearer.

    Parameters
    ----------
    answers
        Of `csimprove.tickets.read_surveys`.
    plan
        The pilot: ``staff_question`` is a question of a survey; without it ``staff_feedback`` counts.

    Returns
    -------
    StaffFeedback
        Favourable answers (yes, or the two best of 4 to 7 points) and all answers of staff to that question
        from the pilot's first day on, in the pilot's groups if the answers name groups; ``None``: none yet.

    Raises
    ------
    SettingsError
        If no survey asks the question, or on a scale without a favourable side.
    """
    if plan.staff_question is None:
        return plan.staff_feedback
    frame = answers.frame[answers.frame["role"] == "staff"]
    asked = frame[frame["question"] == plan.staff_question]
    if asked.empty:
        known = list(dict.fromkeys(frame["question"])) or ["a question that a survey asks staff"]
        raise SettingsError(
            f"`pilot.staff_question` must be a question that staff answered, not {plan.staff_question!r}"
            f"{near(plan.staff_question, known)}"
        )
    scored = asked[asked["score"].notna() & (asked["date"] >= pd.Timestamp(plan.during[0]))]
    named = scored[scored["group"] != ""]
    if len(named):
        scored = named[named["group"].isin(plan.pilot)]
    best = [_favourable(row["score"], row["low"], row["high"]) for row in scored.to_dict("records")]
    if None in best:
        raise SettingsError(
            "`pilot.staff_question` must be asked as yes/no or on 4 to 7 points, such as 1-5: "
            "on another scale nobody can say who agrees."
        )
    return StaffFeedback(yes=sum(map(bool, best)), asked=len(best)) if best else None


def _comments(frame: pd.DataFrame) -> tuple[Comment, ...]:
    said = frame[frame["comment"] != ""].sort_values("date", ascending=False, kind="stable")
    return tuple(
        Comment(row["survey"], row["date"].date(), row["group"], row["themes"], row["comment"])
        for row in said.to_dict("records")
    )


def _favourable(score: float, low: float, high: float) -> bool | None:
    if (low, high) == (0, 1):
        return score == 1
    return score >= high - 1 if high - low + 1 in _TOP_TWO else None


def _figures(frame: pd.DataFrame) -> Iterator[dict[str, Any]]:
    scored = frame[frame["score"].notna()]
    scored = scored.assign(month=scored["date"].dt.strftime("%Y-%m"), all="")
    keys = ["survey", "role", "question", "low", "high"]
    for names, own in scored.groupby(keys, sort=False):
        for cut in ("all", "group", "month"):
            groups = own[own[cut] != ""] if cut == "group" else own
            if cut != "all" and groups[cut].nunique() < 2:
                continue
            for group, part in groups.groupby(cut):
                for statistic, value, low, high in _statistics(
                    part["score"], own["low"].iloc[0], own["high"].iloc[0]
                ):
                    yield dict(zip(keys, names, strict=True)) | {
                        "cut": cut,
                        "group": str(group),
                        "statistic": statistic,
                        "n": len(part),
                        "value": value,
                        "ci_low": low,
                        "ci_high": high,
                        "thin": len(part) < THIN_ANSWERS,
                    }


def _statistics(
    scores: pd.Series[float], low: float, high: float
) -> Iterator[tuple[Statistic, float, float, float]]:
    """Yield what a scale allows to say of scores: value and interval."""
    if (low, high) == (0, 1):
        yield "yes", *_share(scores == 1)
        return
    yield "mean", *(mean := _mean(scores))
    if (low, high) != (0, 100):
        value, *ends = ((one - low) / (high - low) * 100 for one in mean)
        yield "csi", value, ends[0], ends[1]
    if (low, high) == (0, 10):
        value, *ends = (100 * one for one in _mean((scores >= _PROMOTER) * 1.0 - (scores < _PASSIVE)))
        yield "nps", value, ends[0], ends[1]
    elif high - low + 1 in _TOP_TWO:
        yield "top_two", *_share(scores >= high - 1)


def _mean(values: pd.Series[float]) -> tuple[float, float, float]:
    total, squares, n = float(values.sum()), float((values**2).sum()), len(values)
    low, high = inference.mean_interval(total, squares, n)
    return total / n, float(low), float(high)


def _share(good: pd.Series[bool]) -> tuple[float, float, float]:
    low, high = inference.wilson(int(good.sum()), len(good))
    return float(good.mean()), float(low), float(high)


def _themes(frame: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Yield the themes of each survey that has any, by people, not by rows."""
    for (survey, role), own in frame.groupby(["survey", "role"], sort=False):
        named = own[["respondent", "themes"]].explode("themes").dropna().drop_duplicates()
        asked = own["respondent"].nunique()
        counts = named["themes"].value_counts()
        for theme, n in sorted(counts.items(), key=lambda item: (-item[1], str(item[0]))):
            low, high = inference.wilson(n, asked)
            known = (survey, role, theme, int(n), asked, n / asked, float(low), float(high))
            yield dict(zip(_THEMES, known, strict=True))


def _samples(
    frame: pd.DataFrame, settings: Settings, reading: Reading, now: pd.Timestamp
) -> Iterator[dict[str, Any]]:
    """Yield the share of each month's customers who answered, where they are known."""
    for survey in (survey for survey in settings.surveys if survey.monthly_share is not None):
        own = frame[(frame["survey"] == survey.name) & (frame["role"] == "customer")]
        begun = reading.first_opened.astimezone(ZoneInfo(settings.calendar.zone)).replace(tzinfo=None)
        for month, served in reading.customers.items():
            start = pd.Timestamp(f"{month}-01")
            end = start + pd.offsets.MonthBegin()
            if own.empty or end <= own["date"].min() or start > now:
                continue
            answered = own[own["date"].between(start, end, "left")]["respondent"].nunique()
            share = answered / served
            complete = bool(end <= now and begun < start + pd.Timedelta(days=1))
            least = survey.monthly_share or 0.0
            known = (survey.name, month, answered, served, share, least, share >= least, complete)
            yield dict(zip(_SAMPLES, known, strict=True))


def _feedback(
    frame: pd.DataFrame, readings: tuple[SurveyReading, ...], now: pd.Timestamp
) -> Iterator[dict[str, Any]]:
    """Yield how much of what customers said was classed and closed with them in time."""
    for reading in readings:
        own = frame[(frame["survey"] == reading.survey) & (frame["role"] == "customer")]
        own = own[own["commented"] | own["themes"].map(bool).astype(bool)]
        if own.empty:
            continue
        row: dict[str, Any] = {
            "survey": reading.survey,
            "n": len(own),
            "classed": int(own["themes"].map(bool).sum()),
        }
        row |= dict.fromkeys(("decided", "in_time", "share", "ci_low", "ci_high"))
        # a day without a clock cannot tell 24 h
        if "closed_at" in reading.columns and own["clock"].all():
            old = own[own["date"] + CLOSED_WITHIN <= now]
            in_time = (old["closed_at"] - old["date"]) <= CLOSED_WITHIN
            row |= {"decided": len(old), "in_time": int(in_time.sum())}
            if len(old):
                row |= dict(zip(("share", "ci_low", "ci_high"), _share(in_time), strict=True))
        yield row


def _remarks(frame: pd.DataFrame) -> Iterator[Remark]:
    scored = frame[frame["score"].notna()]
    for (survey, question), own in scored.groupby(["survey", "question"], sort=False):
        scales = own.groupby(["low", "high"])["score"]
        if len(scales) > 1:
            yield Remark("several_scales", str(survey), str(question))
        for ends, scores in scales:
            if ends == (0, 10) and len(scores) >= THIN_ANSWERS and np.all(scores > 0):
                yield Remark("no_zero", str(survey), str(question))

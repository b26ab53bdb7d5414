"""Numbers, dates and intervals as text: minus is U+2212, every change has a sign, missing is "–"."""

from __future__ import annotations

import math
from datetime import date, datetime
from zoneinfo import ZoneInfo

from csimprove.settings import Language

#: ``"share"`` (0-1), ``"minutes"`` and other times, ``"nps"`` (-100 to 100), ``"index"`` (0 to 100),
#: ``"per_10000"`` or ``"number"``.
Unit = str

#: What stands for a number that does not exist.
NO_NUMBER = "–"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
#: Zones that Chinese readers know under another name.
_ZONES_ZH = {"Asia/Shanghai": "北京时间", "UTC": "世界协调时"}


def missing(value: float | None) -> bool:
    """Whether there is no number.

    Examples
    --------
    >>> missing(None), missing(float("nan")), missing(0)
    (True, True, False)
    """
    return value is None or math.isnan(value)


def shown_scale(unit: Unit) -> float:
    """Return what a value is multiplied by to be shown: shares stand per hundred, all else as it is."""
    return 100.0 if unit == "share" else 1.0


def _digits(value: float, places: int) -> str:
    text = f"{value:,.{places}f}".replace("-", "−")
    return text.lstrip("−") if float(f"{value:.{places}f}") == 0 else text


def number(value: float | None, unit: Unit, *, places: int = 1, sign: bool = False) -> str:
    """Return a value without its unit: shares per hundred, all else as it is.

    Parameters
    ----------
    value
        In ``unit``.
    unit
        ``"share"``, ``"minutes"`` or another.
    places
        Decimals; trailing zeros stay.
    sign
        Whether a plus is written.

    Examples
    --------
    >>> number(0.1449, "share", sign=True), number(-3.06, "minutes"), number(None, "share")
    ('+14.5', '−3.1', '–')
    """
    if value is None or missing(value):
        return NO_NUMBER
    text = _digits(value * shown_scale(unit), places)
    return f"+{text}" if sign and not text.startswith("−") and text.strip("0.,") else text


def trimmed(value: float | None, unit: Unit, *, sign: bool = False) -> str:
    """Return a number that people set (target, margin): no decimals it does not need.

    Examples
    --------
    >>> trimmed(0.05, "share", sign=True), trimmed(0.985, "share"), trimmed(0.5, "minutes")
    ('+5', '98.5', '0.5')
    """
    text = number(value, unit, places=2, sign=sign)
    return text.rstrip("0").rstrip(".") if "." in text else text


def percent(value: float | None, *, places: int = 1) -> str:
    """Return a share as a percentage.

    Examples
    --------
    >>> percent(0.951), percent(None)
    ('95.1%', '–')
    """
    text = number(value, "share", places=places)
    return text if text == NO_NUMBER else f"{text}%"


def duration(value: float, language: Language = "en") -> str:
    """Return a duration: minutes below two hours, else hours, which are 60 minutes on every clock.

    Examples
    --------
    >>> duration(26.04), duration(2261), duration(1440, "zh")
    ('26.0 min', '37.7 h', '24小时')
    """
    if value < _HOURS_FROM:
        return level(value, "minutes", language)
    return _digits(value / 60, 1).removesuffix(".0") + {"en": " h", "zh": "小时"}[language]


def duration_interval(value: float, low: float, high: float, language: Language = "en") -> str:
    """Return the interval of a duration without its unit; what the observation does not reach is left open.

    Examples
    --------
    >>> duration_interval(2261, 2200, 2400), duration_interval(26, 24, float("nan"))
    ('36.7 to 40.0', '24.0 or more')
    """
    scale = 1 if value < _HOURS_FROM else 60
    if missing(high):
        return number(low / scale, "minutes") + {"en": " or more", "zh": "以上"}[language]
    return interval(low / scale, high / scale, "minutes", language)


#: Longer durations are given in hours.
_HOURS_FROM = 120


def points(value: float | None, language: Language = "en") -> str:
    """Return a difference of shares in percentage points, with its sign.

    Examples
    --------
    >>> points(0.145), points(-0.004, "zh")
    ('+14.5 points', '−0.4个百分点')
    """
    return change(value, "share", language)


def level(value: float | None, unit: Unit, language: Language = "en") -> str:
    """Return a level: a percentage, a time with its unit, or a score, whose scale the metric's name tells.

    Examples
    --------
    >>> level(0.8, "share"), level(6.9, "minutes"), level(-56.8, "nps")
    ('80.0%', '6.9 min', '−56.8')
    """
    return _leveled(number(value, unit), unit, language)


def target_level(value: float | None, unit: Unit, language: Language = "en") -> str:
    """Return a level that people set, without needless decimals.

    Examples
    --------
    >>> target_level(0.95, "share"), target_level(3.0, "minutes", "zh"), target_level(50, "nps")
    ('95%', '3分钟', '50')
    """
    return _leveled(trimmed(value, unit), unit, language)


_TIMES: dict[Unit, dict[Language, str]] = {
    "minutes": {"en": " min", "zh": "分钟"},
    "seconds": {"en": " s", "zh": "秒"},
    "hours": {"en": " h", "zh": "小时"},
    "days": {"en": " d", "zh": "天"},
}
#: Units of changes.
_CHANGES: dict[Unit, dict[Language, str]] = _TIMES | {
    "share": {"en": " points", "zh": "个百分点"},
    "nps": {"en": " points", "zh": "分"},
    "index": {"en": " points", "zh": "分"},
}


def _leveled(text: str, unit: Unit, language: Language) -> str:
    if unit == "share":
        return text if text == NO_NUMBER else f"{text}%"
    return _with_unit(text, _TIMES, unit, language)


def _with_unit(text: str, units: dict[Unit, dict[Language, str]], unit: Unit, language: Language) -> str:
    return text if text == NO_NUMBER or unit not in units else text + units[unit][language]


def change(value: float | None, unit: Unit, language: Language = "en") -> str:
    """Return a change with its sign and unit.

    Examples
    --------
    >>> change(-3.1, "minutes"), change(0.0, "share")
    ('−3.1 min', '0.0 points')
    """
    return _with_unit(number(value, unit, sign=True), _CHANGES, unit, language)


def size(value: float | None, unit: Unit, language: Language = "en") -> str:
    """Return the size of a change, for sentences whose verb carries the direction.

    Examples
    --------
    >>> size(-0.062, "share"), size(-0.062, "share", "zh")
    ('6.2 points', '6.2个百分点')
    """
    return _with_unit(number(value, unit).removeprefix("−"), _CHANGES, unit, language)


def interval(low: float | None, high: float | None, unit: Unit, language: Language = "en") -> str:
    """Return an interval without its unit; signs are written only where they are needed.

    A bound that would print as 0.0 although it is not gets a second decimal, so that the text shows on which
    side of zero it lies.

    Examples
    --------
    >>> interval(0.124, 0.165, "share"), interval(-3.4, -2.8, "minutes", "zh")
    ('12.4 to 16.5', '−3.4至−2.8')
    >>> interval(-0.0002, 0.003, "share")
    '−0.02 to +0.30'
    """
    if low is None or high is None or missing(low) or missing(high):
        return NO_NUMBER
    scale = shown_scale(unit)
    places = 2 if any(bound and abs(bound * scale) < 0.05 for bound in (low, high)) else 1
    ends = [number(bound, unit, places=places, sign=low < 0) for bound in (low, high)]
    return {"en": " to ", "zh": "至"}[language].join(ends)


def count(value: float | None) -> str:
    """Return a whole number with thousands separated.

    Examples
    --------
    >>> count(72960), count(-622)
    ('72,960', '−622')
    """
    return NO_NUMBER if value is None or missing(value) else _digits(value, 0)


def p_value(value: float | None, language: Language = "en") -> str:
    """Return a p-value: three decimals, or one digit that counts if it is smaller.

    Examples
    --------
    >>> p_value(0.0312), p_value(6.4e-05), p_value(0.5, "zh")
    ('p = 0.031', 'p = 0.00006', 'p＝0.500')
    """
    equals = {"en": "p = ", "zh": "p＝"}[language]
    if value is None or missing(value):
        return equals + NO_NUMBER
    places = 3 if value >= 0.001 or value <= 0 else -math.floor(math.log10(value))
    return f"{equals}{value:.{places}f}"


def date_text(day: date, language: Language = "en", *, year: bool = True) -> str:
    """Return a day.

    Examples
    --------
    >>> day = date(2025, 8, 25)
    >>> date_text(day), date_text(day, "zh"), date_text(day, year=False)
    ('25 Aug 2025', '2025年8月25日', '25 Aug')
    """
    if language == "zh":
        return (f"{day.year}年" if year else "") + f"{day.month}月{day.day}日"
    return f"{day.day} {_MONTHS[day.month - 1]}" + (f" {day.year}" if year else "")


def days_text(days: int, language: Language = "en") -> str:
    """Return a number of days.

    Examples
    --------
    >>> days_text(7), days_text(1), days_text(7, "zh")
    ('7 days', '1 day', '7天')
    """
    return f"{days}天" if language == "zh" else f"{days} day{'s' * (days != 1)}"


def limit_text(limit: str, language: Language = "en") -> str:
    """Return a limit of the settings.

    Examples
    --------
    >>> limit_text("30 min"), limit_text("48 h", "zh"), limit_text("3 working days", "zh")
    ('30 min', '48小时', '3个工作日')
    """
    if language == "en":
        return limit
    amount, _, unit = limit.partition(" ")
    words = {"s": "秒", "min": "分钟", "h": "小时", "d": "天"}
    return amount + words.get(unit, "个工作日")


def period_text(first: date, last: date, language: Language = "en") -> str:
    """Return a period, both days included; the year is written once if it is the same.

    Examples
    --------
    >>> period_text(date(2025, 8, 25), date(2025, 9, 21))
    '25 Aug – 21 Sep 2025'
    >>> period_text(date(2025, 12, 29), date(2026, 1, 4), "zh")
    '2025年12月29日至2026年1月4日'
    """
    if first == last:
        return date_text(first, language)
    same = first.year == last.year
    start = date_text(first, language, year=language == "zh" or not same)
    end = date_text(last, language, year=language == "en" or not same)
    return {"en": " – ", "zh": "至"}[language].join([start, end])


def moment_text(moment: datetime, zone: str, language: Language = "en") -> str:
    """Return a moment as local time of a named zone.

    Examples
    --------
    >>> from datetime import timezone
    >>> moment = datetime(2025, 9, 26, 1, 0, tzinfo=timezone.utc)
    >>> moment_text(moment, "Asia/Shanghai"), moment_text(moment, "Asia/Shanghai", "zh")
    ('26 Sep 2025, 09:00, Asia/Shanghai', '2025年9月26日09:00（北京时间）')
    """
    local = moment.astimezone(ZoneInfo(zone))
    clock = f"{local.hour:02d}:{local.minute:02d}"
    if language == "zh":
        return f"{date_text(local, language)}{clock}（{_ZONES_ZH.get(zone, zone)}）"
    return f"{date_text(local, language)}, {clock}, {zone}"

"""Sentences as text: both languages say the same numbers, and no more than the interval allows."""

from __future__ import annotations

import inspect
import itertools
import re
import string
import tomllib
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from csimprove import wording
from csimprove.columns import CUTS
from csimprove.metrics import CATALOGUE, VARIANTS
from csimprove.tickets import parsing
from csimprove.wording.lookup import DEFINITIONS, PHRASES
from made_results import BASELINE, INDICATORS, METRICS, PILOT, VERDICTS, decided, pilot_metric

LANGUAGES = ("en", "zh")
HAN = r"[\u4e00-\u9fff]"
#: Claims that these methods do not allow, and marks that do not belong.
FORBIDDEN = {
    "en": re.compile(
        r"significan|prove[sn]?\b|no change|unchanged effect|increase|decrease|[“”‘’…—]", re.IGNORECASE
    ),
    "zh": re.compile(r"显著|证明|没有变化|无变化|[“”‘’…]"),
}
#: "at the line, not proven" is a label inside the figure of the two questions; three name the command.
ALLOWED = {"chart.level_line", "cannot.not_locked", "lock.none", "outline.more"}


def placeholders(phrase: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(phrase) if name}


def test_every_phrase_has_both_languages_with_the_same_placeholders() -> None:
    optional = {"unit", "units", "group", "groups"}  # English needs singular and plural, Chinese a counter
    assert all(set(phrase) == set(LANGUAGES) and all(phrase.values()) for phrase in PHRASES.values())
    different = {
        key: phrase
        for key, phrase in PHRASES.items()
        if placeholders(phrase["en"]) - optional != placeholders(phrase["zh"]) - optional
    }
    assert different == {}


def test_no_phrase_stands_in_two_files() -> None:
    folder = Path(wording.__file__).parent / "phrases"
    keys = [key for path in folder.glob("*.toml") for key in tomllib.loads(path.read_text(encoding="utf-8"))]
    assert [key for key, times in Counter(keys).items() if times > 1] == []


def test_no_phrase_claims_too_much_or_uses_the_wrong_marks() -> None:
    found = {
        (key, language): match[0]
        for key, language in itertools.product(set(PHRASES) - ALLOWED, LANGUAGES)
        if (match := FORBIDDEN[language].search(PHRASES[key][language]))
    }
    assert found == {}


def test_chinese_uses_full_width_marks_and_no_typed_space() -> None:
    words = {key: phrase["zh"] for key, phrase in PHRASES.items()}
    words |= {key: "；".join(fields["zh"].values()) for key, fields in DEFINITIONS.items()}
    assert {key: faults for key, said in words.items() if (faults := chinese_faults(said))} == {}


def chinese_faults(words: str) -> list[str]:
    """Half-width marks beside Chinese, ASCII hyphens as minus, spaces between Chinese and digits."""
    patterns = (
        rf"{HAN}[,.:;()!?]",
        rf"[,:;()!?]{HAN}",
        rf"{HAN} +[\d{HAN[1:-1]}]",
        rf"\d +{HAN}",
        r"(?<![A-Z])-\d",
    )
    return [found[0] for pattern in patterns for found in re.finditer(pattern, words)]


def test_the_check_of_chinese_marks_finds_faults() -> None:
    assert chinese_faults("响应,及时 80 件(试点)-3") == [
        "应,",
        "件(",
        "点)",
        ",及",
        "(试",
        "时 8",
        "0 件",
        "-3",
    ]


def test_every_catalogue_metric_and_variant_has_name_and_definition() -> None:
    for metric in CATALOGUE:
        for variant, language in itertools.product(VARIANTS[metric.name], LANGUAGES):
            assert wording.metric_name(metric.name, language, variant=variant) != metric.name
            assert wording.metric_name(metric.name, language, variant=variant, inline=True) != metric.name
            assert wording.definition_text(metric.name, language, variant=variant)
    own = {"own_share", "own_mean", "own_within_limit"}
    assert {key.partition(":")[0] for key in DEFINITIONS} - own == set(VARIANTS)
    assert {key.partition(":")[2] for key in DEFINITIONS} - {""} <= {
        variant for variants in VARIANTS.values() for variant in variants
    }


def test_proxies_are_named_as_proxies() -> None:
    assert "proxy" in wording.metric_name("first_contact_resolution", variant="one_touch")
    assert "proxy" in DEFINITIONS["first_contact_resolution:one_touch"]["en"]["numerator"]
    assert "替代" in wording.metric_name("first_contact_resolution", "zh", variant="one_touch")


def test_every_cut_has_a_name() -> None:
    for cut, language in itertools.product(CUTS, LANGUAGES):
        assert f"column.{cut}" in PHRASES
        assert wording.column_name(cut, language)


def test_unknown_key_and_missing_value_are_said_clearly() -> None:
    with pytest.raises(KeyError) as unknown:
        wording.text("verdict.goo")
    assert str(unknown.value.args[0]).startswith("no phrase 'verdict.goo'; near: verdict.go")
    with pytest.raises(KeyError) as empty:
        wording.text("tile.from")
    assert empty.value.args[0] == "phrase 'tile.from' needs a value for 'pilot_before'"


def test_keys_that_modules_ask_for_exist() -> None:
    source = Path(__file__).resolve().parents[1] / "src" / "csimprove"
    asked = set()
    for file in [*source.glob("wording/*.py"), *source.glob("report/*.py"), *source.glob("charts/*.py")]:
        asked |= set(re.findall(r"""\btext\(\s*"([\w.:]+)"\s*[,)]""", file.read_text(encoding="utf-8")))
    assert len(asked) > 50
    assert asked <= set(PHRASES)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("unit", ["share", "minutes"])
@pytest.mark.parametrize(
    ("effect", "low", "high"),
    [
        (0.05, 0.01, 0.09),
        (-0.05, -0.09, -0.01),
        (0.05, -0.01, 0.11),
        (0.0, -0.2, 0.2),
        (0.0001, -0.0003, 0.0004),
    ],
)
def test_direction_is_stated_only_when_the_interval_leaves_zero_out(
    language: wording.Language, unit: str, effect: float, low: float, high: float
) -> None:
    scale = 1 if unit == "share" else 100
    effect, low, high = effect * scale, low * scale, high * scale
    metric = pilot_metric("response_on_time", unit=unit, effect=effect, ci_low=low, ci_high=high)
    said = wording.effect_clause(metric, language)
    rose, fell, open_ = {"en": ("rose", "fell", "not shown"), "zh": ("升高", "降低", "尚未证实")}[language]
    assert (rose in said) == (low > 0)
    assert (fell in said) == (high < 0)
    assert (open_ in said) == (low <= 0 <= high)
    assert not FORBIDDEN[language].search(said)
    assert "个百分点" in said or "points" in said or unit == "minutes"
    if low < 0 < high:  # and the printed bounds show both signs
        assert "−" in wording.interval(low, high, unit, language)
        assert "+" in wording.interval(low, high, unit, language)


def test_effects_in_full() -> None:
    shown, open_one = METRICS[0], METRICS[2]
    assert (
        wording.effect_clause(shown)
        == "response on time rose by 14.5 points against the controls (95% interval 12.4 to 16.5)"
    )
    assert (
        wording.effect_clause(open_one)
        == "an effect on the complaint rate is not shown: −0.4 points against the controls "
        "(95% interval −1.1 to +0.2)"
    )
    assert wording.effect_clause(shown, "zh") == "响应及时率与对照相比升高14.5个百分点（95%区间12.4至16.5）"
    assert wording.effect_clause(METRICS[4], "zh") == "客户等待时间与对照相比降低3.1分钟（95%区间−3.4至−2.8）"
    none = replace(shown, effect=None, ci_low=None, ci_high=None)
    assert wording.effect_clause(none) == "no interval can be given for response on time"


def test_effects_as_tickets_a_week() -> None:
    assert wording.tickets_text(METRICS[0]) == "about 210 fewer late answers a week (180 to 239)"
    assert wording.tickets_text(METRICS[0], "zh") == "每周约少210件响应超时（180至239）"
    assert (
        wording.tickets_text(METRICS[1])
        == "about 210 more tickets solved at first contact a week (180 to 239)"
    )
    assert wording.tickets_text(METRICS[2]) == "between 16 fewer and 3 more complaints a week"
    assert wording.tickets_text(METRICS[4]) == ""
    worse = pilot_metric("response_on_time", tickets_per_week=-20.0, tickets_low=-30.0, tickets_high=-10.0)
    assert wording.tickets_text(worse) == "about 20 more late answers a week (10 to 30)"


@pytest.mark.parametrize(
    ("fields", "en", "zh"),
    [
        ({}, "at least +5", "至少+5"),
        ({"better": "lower", "asked": 0.004}, "at most −0.4", "至多−0.4"),
        ({"role": "guardrail", "asked": 0.03}, "not below −3", "不低于−3"),
        (
            {"role": "guardrail", "better": "lower", "unit": "minutes", "asked": 0.5},
            "not above +0.5",
            "不高于+0.5",
        ),
        ({"role": "secondary", "asked": None}, "any rise", "有所上升"),
        ({"role": "secondary", "asked": None, "better": "lower"}, "any fall", "有所下降"),
    ],
)
def test_what_the_plan_asked(fields: dict[str, object], en: str, zh: str) -> None:
    metric = pilot_metric("response_on_time", **fields)
    assert (wording.asked_text(metric), wording.asked_text(metric, "zh")) == (en, zh)


def test_go_names_gains_guardrails_and_the_second_question() -> None:
    assert wording.verdict_reason(PILOT) == (
        "Both main measures gained more than the plan asked for, with 95% intervals: response on time "
        "+14.5 points "
        "(12.4 to 16.5; asked: at least +5) and first-contact resolution +24.7 points (21.1 to 28.3; "
        "asked: at least "
        "+10). Both guardrails are shown safe. The target is a second question: reached for first-contact "
        "resolution, at the line for response on time."
    )
    assert wording.verdict_reason(PILOT, "zh") == (
        "两项主要指标的改进均高于方案要求（附95%区间）：响应及时率+14.5个百分点（12.4至16.5，要求至少+5）和"
        "一次性解决率+24.7个百分点（21.1至28.3，要求至少+10）。两项护栏指标均证实安全。"
        "是否达标另作判断：一次性解决率已达标，响应及时率处于临界。"
    )


def test_go_with_a_guardrail_not_shown_safe_lists_it_as_a_condition() -> None:
    open_one = replace(METRICS[3], effect=-0.012, ci_low=-0.04, ci_high=0.016, status="not_shown_safe")
    result = replace(PILOT, metrics=(*METRICS[:3], open_one, METRICS[4]), conditions=("csat",))
    said = wording.verdict_reason(result)
    assert (
        "condition of the roll-out (95% intervals): CSAT −1.2 points (−4.0 to +1.6; asked: not below −3)."
        in said
    )
    assert "Both guardrails" not in said
    assert "not shown safe: CSAT" in wording.evaluation_title(result)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("result", VERDICTS, ids=lambda result: f"{result.verdict}-{result.reason.code}")
def test_every_verdict_has_word_reason_headline_and_limit(result: object, language: wording.Language) -> None:
    said = [
        wording.verdict_word(result.verdict, language),
        wording.verdict_follows(result, language),
        wording.verdict_reason(result, language),
        wording.pilot_headline(result, language),
        wording.evaluation_title(result, language),
        wording.verdict_limit(result, language),
    ]
    assert all(said)
    for words in said:
        assert "{" not in words
        assert not FORBIDDEN[language].search(words)
        if language == "zh":
            assert chinese_faults(words) == []


def test_reasons_quote_the_numbers_that_decided() -> None:
    said = {
        f"{result.verdict}/{result.reason.code}": wording.verdict_reason(result) for result in VERDICTS[7:]
    }
    assert said["cannot_tell/low_information"] == (
        "Only 43.0% of the pilot's tickets are decided for first-contact resolution; at least 50% are needed."
    )
    assert said["cannot_tell/volume_moved"] == (
        "The pilot's ticket volume moved by +18.0% against the controls (95% interval 12.0 to 25.0); the "
        "plan allows "
        "±10%, so tickets may have gone round the pilot or into it."
    )
    too_few = decided("cannot_tell", "too_few_units", units_pilot=2, units_control=15)
    assert wording.verdict_reason(too_few).startswith(
        "Only 2 pilot and 15 control teams have tickets in both periods."
    )
    few_ways = decided("cannot_tell", "too_few_units", units_pilot=3, units_control=3, smallest_pvalue=0.1)
    assert "smallest p-value that can come out is 0.10" in wording.verdict_reason(few_ways)


def test_stop_and_extend_quote_effect_and_what_was_asked() -> None:
    harmed = replace(METRICS[3], effect=-0.062, ci_low=-0.098, ci_high=-0.026, status="harmed")
    stop = replace(
        decided("stop", "guardrail_harmed", metric="csat"), metrics=(*METRICS[:3], harmed, METRICS[4])
    )
    assert wording.verdict_reason(stop) == (
        "CSAT fell by 6.2 points against the controls (95% interval −9.8 to −2.6); the plan asked for not "
        "below −3, "
        "and the whole interval lies on the worse side of zero."
    )
    open_one = replace(METRICS[0], effect=0.04, ci_low=-0.01, ci_high=0.09, status="not_shown")
    extend = replace(
        decided("extend", "not_yet_shown", metric="response_on_time", date="2025-10-19"),
        metrics=(open_one, *METRICS[1:]),
    )
    assert wording.verdict_reason(extend) == (
        "An effect on response on time is not shown: +4.0 points against the controls (95% interval −1.0 "
        "to +9.0); "
        "the plan asked for at least +5, which this interval does not settle."
    )
    assert wording.verdict_follows(extend) == "keep the pilot running until 19 Oct 2025"
    assert wording.pilot_headline(extend) == (
        "Not settled yet in 华东: response on time went from 80.0% to 95.1%, +4.0 points against the controls"
    )


def test_one_region_is_one_draw_is_said_with_every_verdict_of_such_a_pilot() -> None:
    assert wording.verdict_limit(PILOT).startswith("One region is one draw.")
    assert wording.verdict_limit(PILOT, "zh").startswith("一个区域只是一次抽样。")
    assert wording.verdict_limit(replace(PILOT, one_group=False)) == ""


def test_headlines_hold_the_number() -> None:
    assert wording.pilot_headline(PILOT) == (
        "The new process works in 华东: response on time rose from 80.0% to 95.1%, +14.5 points against "
        "the controls"
    )
    assert wording.pilot_headline(PILOT, "zh") == (
        "新流程在华东见效：响应及时率由80.0%升至95.1%，与对照相比+14.5个百分点"
    )
    assert (
        wording.baseline_headline(BASELINE)
        == "Response on time is 75.2% against a target of 95%; 1 of 6 targets reached"
    )
    good = replace(INDICATORS[0], value=0.96, on_target="reached")
    all_good = replace(BASELINE, indicators=(good,))
    assert wording.baseline_headline(all_good) == "Response on time is 96.0%; its target of 95% is reached"
    bare = replace(BASELINE, indicators=(replace(good, target=None, on_target=None),))
    assert wording.baseline_headline(bare, "zh") == "响应及时率为96.0%，尚未设定目标"
    assert wording.baseline_headline(replace(BASELINE, indicators=())) == (
        "No indicator can be measured from these tickets"
    )


def figure_words(language: wording.Language) -> dict[str, wording.FigureWords]:
    return {
        "baseline_indicators": wording.baseline_indicators(BASELINE, language=language),
        "baseline_cuts": wording.baseline_cuts(BASELINE, "response_on_time", "region", language=language),
        "baseline_trend": wording.baseline_trend(BASELINE, language=language),
        "pilot_questions": wording.pilot_questions(PILOT, language=language),
        "pilot_dumbbell": wording.pilot_dumbbell(PILOT, "response_on_time", language=language),
        "pilot_arms": wording.pilot_arms(PILOT, "response_on_time", language=language),
    }


@pytest.mark.parametrize("name", figure_words("en"))
def test_figures_have_title_lede_caption_and_alt_text_of_hearable_length(name: str) -> None:
    english, chinese = figure_words("en")[name], figure_words("zh")[name]
    assert 40 <= len(english["alt"].split()) <= 92
    assert 60 <= len(chinese["alt"]) <= 320
    for part in ("title", "lede", "caption", "alt"):
        for language, words in (("en", english[part]), ("zh", chinese[part])):
            assert words
            assert not FORBIDDEN[language].search(words)
        assert chinese_faults(chinese[part]) == []
    assert not english["title"].endswith(".")


def test_figure_titles_are_the_finding() -> None:
    titles = {name: words["title"] for name, words in figure_words("en").items()}
    assert titles == {
        "baseline_indicators": "1 of 6 indicators with a target reach it",
        "baseline_cuts": "By region, response on time runs from 72.0% (<North>) to 80.0% (华东)",
        "baseline_trend": (
            "Response on time moved between 70.0% and 78.0% in 3 weeks; the last whole week is at 75.0%"
        ),
        "pilot_questions": (
            "The gain is worth having; the target is reached for first-contact resolution; "
            "response on time at the line"
        ),
        "pilot_dumbbell": (
            "On response on time every pilot team changed for the better by more than any control team"
        ),
        "pilot_arms": "In the pilot weeks response on time is 95.1% in the pilot and 79.9% in the controls",
    }


def test_dumbbell_counts_teams_when_the_arms_overlap() -> None:
    teams = PILOT.teams.assign(change=-PILOT.teams["change"])
    words = wording.pilot_dumbbell(replace(PILOT, teams=teams), "response_on_time")
    assert words["title"] == (
        "On response on time 0 of 3 pilot teams and 2 of 4 control teams moved to the better side"
    )


def test_a_cut_without_decided_tickets_still_has_words() -> None:
    words = wording.baseline_cuts(BASELINE, "response_on_time", "channel")
    assert words["title"] == "Response on time cannot be shown by channel: no ticket is decided"
    assert words["alt"] == words["title"]


@pytest.mark.parametrize("name", ["answered_before_opened", "resolved_before_opened", "ambiguous_local_time"])
def test_flags_of_the_reading_have_words(name: str) -> None:
    assert f"flag.{name}" in PHRASES


def test_every_reason_why_a_value_was_not_used_is_said_in_chinese() -> None:
    reader = (Path(wording.__file__).parents[1] / "tickets" / "loading.py").read_text(encoding="utf-8")
    said = re.findall(r'what = f?"([^"]+)"', inspect.getsource(parsing.reason))
    said += re.findall(r'"((?:is missing|holds a quote|cannot be split)[^"]*)"', reader)
    said.append("has 3 values")
    assert len(said) >= 8
    for reason in said:
        told = wording.reject_text(
            reason.removesuffix(" The row is left out.") + " The row is left out.", "zh"
        )
        assert told.endswith("；该行不计入"), reason
    assert wording.reject_text("something new.", "zh") == "something new."


def test_names_and_definitions_follow_what_the_project_sets() -> None:
    fortnight = 'window {"days": 14}'
    assert wording.metric_name("reopen_rate", variant=fortnight) == "Reopened within 14 days"
    assert wording.metric_name("reopen_rate", "zh", variant=fortnight) == "14天内重开率"
    assert "within 14 days of opening" in wording.definition_text(
        "first_contact_resolution", variant=fortnight
    )
    assert "受理满14天" in wording.definition_text("first_contact_resolution", "zh", variant=fortnight)
    days = 'of_delivery {"limit": "1 working day"}'
    assert (
        wording.metric_name("delivery_call_back", variant=days) == "Delivery call-back within 1 working day"
    )
    assert wording.metric_name("delivery_call_back", "zh", variant=days) == "交付回访及时率（1个工作日）"
    assert "满1个工作日（起始当日不计）" in wording.definition_text("delivery_call_back", "zh", variant=days)


def test_own_metrics_have_the_names_of_the_settings_and_say_what_they_count() -> None:
    variant = (
        'own_share {"label": {"en": "Refunds", "zh": "退款率"}, "column": "status", "values": ["refund"], '
        '"where": {"channel": ["phone", "email"]}}'
    )
    assert wording.metric_name("refund_rate", variant=variant, inline=True) == "Refunds"
    assert wording.metric_name("refund_rate", "zh", variant=variant) == "退款率"
    assert wording.definition_text("refund_rate", variant=variant).startswith(
        "tickets with channel phone and email whose status is refund, divided by tickets with channel "
        "phone and email with a status."
    )
    assert wording.definition_text("refund_rate", "zh", variant=variant).startswith(
        "状态为refund的工单（渠道为phone和email），除以"
    )


@pytest.mark.parametrize(
    ("unit", "said", "changed", "chinese"),
    [
        ("nps", "−56.8", "−56.8 points", "−56.8分"),
        ("index", "−56.8", "−56.8 points", "−56.8分"),
        ("seconds", "−56.8 s", "−56.8 s", "−56.8秒"),
        ("hours", "−56.8 h", "−56.8 h", "−56.8小时"),
        ("per_10000", "−56.8", "−56.8", "−56.8"),
        ("number", "−56.8", "−56.8", "−56.8"),
    ],
)
def test_every_unit_is_said_once(unit: str, said: str, changed: str, chinese: str) -> None:
    assert wording.level(-56.8, unit) == said
    assert wording.change(-56.8, unit) == changed
    assert wording.change(-56.8, unit, "zh") == chinese

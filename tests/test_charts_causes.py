"""Pareto chart and fishbone: artists, and a layout that holds for any tree."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from matplotlib import font_manager
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.figure import Figure

from csimprove import charts, wording
from csimprove.charts import theme
from csimprove.charts.fishbone import HEIGHT, SIZE, WIDTH, Bone, Fish, Label, Page, Twig, layout
from made_causes import FILE, made_causes, mixed, ticket

DAY = "2025-03-03"
#: A page figure on A4 is printed at this scale.
PRINTED = 0.77
Box = tuple[float, float, float, float]


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.texts]


# --- Pareto ---------------------------------------------------------------------------------------


def test_a_pareto_shows_counts_intervals_and_what_is_left_out(tmp_path: Path) -> None:
    result = made_causes(tmp_path, mixed(), FILE)
    figure = charts.pareto(result)
    assert figure is not None
    words = texts(figure)
    assert [name for name in words if name in ("Long queue", "Staff not trained", "Weather")] == [
        "Long queue",
        "Staff not trained",
        "Weather",
    ]
    for part in ("not coded", "3", "can't tell", 'marked "-"', "Left out of the shares", "70%", "90%"):
        assert part in words
    bars = [patch.get_width() for patch in figure.axes[0].patches]
    assert bars == pytest.approx([0.7, 0.2, 0.1])
    intervals = [line.get_xdata() for line in figure.axes[0].lines]
    first = result.ranked[0]
    assert list(intervals[0]) == [first.ci_low, first.share]
    assert list(intervals[1]) == [first.share, first.ci_high]


def test_the_running_total_stands_on_the_rows_of_the_bars_in_its_own_panel(tmp_path: Path) -> None:
    figure = charts.pareto(made_causes(tmp_path, mixed(), FILE))
    assert figure is not None
    bars, running = figure.axes
    curve = next(line for line in running.lines if len(line.get_xdata()) == 3)
    assert list(curve.get_xdata()) == pytest.approx([0.7, 0.9, 1.0])
    heights = [patch.get_y() + patch.get_height() / 2 for patch in bars.patches]
    assert list(curve.get_ydata()) == pytest.approx(heights)
    assert bars.get_ylim() == running.get_ylim()
    assert list(running.lines[0].get_xdata()) == [0.8, 0.8]
    assert bars.get_position().x1 < running.get_position().x0


def test_many_causes_are_folded_into_one_row(tmp_path: Path) -> None:
    codes = [f"cause {n:02}" for n in range(30) for _ in range(40 - n)]
    result = made_causes(tmp_path, [ticket(n, DAY, code) for n, code in enumerate(codes)])
    figure = charts.pareto(result)
    assert figure is not None
    words = texts(figure)
    assert "18 further causes" in words
    assert wording.count(sum(40 - n for n in range(12, 30))) in words
    assert len(figure.axes[0].patches) == 13
    assert list(figure.axes[1].lines[1].get_xdata())[-1] == pytest.approx(1.0)


def test_without_a_code_there_is_no_pareto_and_the_heading_says_so(tmp_path: Path) -> None:
    result = made_causes(tmp_path, [ticket(1, DAY, "")])
    assert charts.pareto(result) is None
    assert wording.pareto(result)["title"] == "No Pareto chart: 0 of 1 tickets are coded"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_words_of_a_pareto_overlap_or_leave_the_sheet(tmp_path: Path, language: Any) -> None:
    long = ("A very long name of a cause that needs two lines", "长标签原因" * 5)
    codes = [f"{long[n % 2]} {n}" for n in range(9)]
    rows = [ticket(10 * n + k, DAY, code) for n, code in enumerate(codes) for k in range(9 - n)]
    figure = charts.pareto(made_causes(tmp_path, [*rows, *mixed()]), language=language)
    assert figure is not None
    for width in (charts.PAGE, charts.SLIDE, charts.PHONE):
        at = charts.at_width(figure, width)
        assert overlapping([box for _, box in drawn(at)]) == [], width
        assert not [words for words in texts(at) if "..." in words]


def test_on_a_phone_the_running_total_stands_below_with_the_numbers_of_the_causes(tmp_path: Path) -> None:
    codes = [f"cause {n:02}" for n in range(30) for _ in range(40 - n)]
    figure = charts.pareto(made_causes(tmp_path, [ticket(n, DAY, code) for n, code in enumerate(codes)]))
    assert figure is not None
    phone = charts.at_width(figure, charts.PHONE)
    bars, running = phone.axes
    assert bars.get_position().y0 > running.get_position().y1
    assert bars.get_position().x0 == running.get_position().x0
    bases: dict[str, list[float]] = {}
    for text in phone.texts:
        bases.setdefault(text.get_text(), []).append(text.get_position()[1] * phone.bbox.height)
    numbers = [*map(str, range(1, 13)), "13+"]
    assert [len(bases[number]) for number in numbers] == [2] * 13
    assert bases["5"][0] == bases["cause 04"][0]
    assert bases["13+"][0] == bases["18 further causes"][0]
    bar = bars.patches[4].get_window_extent()
    assert bases["cause 04"][0] - bar.y1 == pytest.approx(5.5)
    dots = [line.get_ydata()[0] for line in running.lines if line.get_marker() == "o"]
    middles = [running.transData.transform((0, y))[1] for y in dots]
    assert [bases[number][1] for number in numbers] == pytest.approx([y - 4 for y in middles])


def test_what_is_left_out_takes_more_lines_where_one_is_too_long(tmp_path: Path) -> None:
    rows = [*mixed(), *(ticket(1000 + n, DAY, "") for n in range(1200))]
    result = made_causes(tmp_path, rows, FILE)
    counts = dict.fromkeys(result.no_cause, 123_456)
    figure = charts.pareto(replace(result, no_cause=counts))
    assert figure is not None
    lines = []
    for width in (charts.PAGE, charts.PHONE):
        found = drawn(charts.at_width(figure, width))
        assert overlapping([box for _, box in found]) == []
        lines.append(len({round(box[3]) for words, box in found if words == "123,456"}))
    assert lines == [1, 2]


def drawn(figure: Figure) -> list[tuple[str, Box]]:
    """Words of a figure and the boxes of their ink in px."""
    figure.set_dpi(theme.PIXELS)
    with theme.applied():
        figure.draw_without_rendering()
        found = []
        for text in figure.texts:
            box = text.get_window_extent()
            found.append((text.get_text(), (box.x0, -box.y1, box.x1, -box.y0)))
    width, height = figure.get_size_inches() * theme.PIXELS
    for words, (left, top, right, bottom) in found:
        assert left >= -1.5, words
        assert right <= width + 1.5, words
        assert -height - 1.5 <= top, words
        assert bottom <= 1.5, words
    return found


def overlapping(boxes: list[Box], least: float = 0.5) -> list[tuple[Box, Box]]:
    return [
        (a, b)
        for a, b in combinations(boxes, 2)
        if min(a[2], b[2]) - max(a[0], b[0]) > least and min(a[3], b[3]) - max(a[1], b[1]) > least
    ]


# --- fishbone: what is drawn --------------------------------------------------------------------------


def test_a_fishbone_shows_counts_status_and_categories(tmp_path: Path) -> None:
    result = made_causes(tmp_path, mixed(), FILE)
    [(page, figure)] = charts.fishbone(result)
    assert page == wording.FishPage((0, 1, 2, 3))
    words = texts(figure)
    for part in ("Long queue", "7", "Peak hours", "1", "Process", "7 tickets, 70% (40 to 89)", "Delays"):
        assert part in words
    assert "confirmed by data or trial" in words
    chinese = texts(charts.fishbone(result, language="zh")[0][1])
    for part in ("排队长", "高峰时段", "法（流程）", "7件，70%（40至89）", "延误", "已排除"):
        assert part in chinese


def test_status_is_told_by_the_shape_of_its_mark() -> None:
    from csimprove.charts.sheet import _ICONS

    shapes = {status: _ICONS[status][1:] for status in ("confirmed", "suggested", "ruled_out")}
    assert _ICONS["suggested"][0] == theme.PAPER  # a ring: paper inside, its line drawn
    assert [part[2] for part in shapes["suggested"]] == ["focus"]
    assert len(shapes["ruled_out"]) == 2
    assert len(shapes["confirmed"]) == 1


def test_order_is_by_tickets_or_as_the_file_has_it(tmp_path: Path) -> None:
    rows = [*mixed(), *(ticket(n, DAY, "Staff") for n in range(50, 60))]
    by_count = made_causes(tmp_path, rows, FILE)
    as_listed = made_causes(tmp_path, rows, FILE, order="input")
    assert [one.key[0] for one in by_count.categories] == ["people", "method", "", "machine"]
    assert [one.key[0] for one in as_listed.categories] == ["people", "machine", "method", ""]


def test_a_fishbone_is_drawn_as_svg_and_as_png_the_same_each_time(tmp_path: Path) -> None:
    [(_, figure)] = charts.fishbone(made_causes(tmp_path, mixed(), FILE))
    assert charts.svg(figure) == charts.svg(figure)
    assert "<text" in charts.svg(figure)
    assert charts.png(figure).startswith(b"\x89PNG")


# --- fishbone: the layout of any tree --------------------------------------------------------------------

WORDS = (
    *("queue", "agents", "approval", "refund", "of", "the", "missing", "late", "first"),
    *("responses", "CRM", "required", "fields", "(15)", "by-pass", "e-mail", "one-to-one"),
)
HAN = "高峰时段坐席不足必填字段过多，分类（粗）转派；升级后无人负责"


def name(rng: random.Random, prefix: str) -> str:
    """A name that begins with its place: English, Chinese, or one word that fits no line."""
    kind = rng.random()
    words = " ".join(rng.choices(WORDS, k=rng.randint(1, 8)))
    if kind > 0.45:
        words = "".join(rng.choices(HAN, k=rng.randint(2, 26)))
    return f"{prefix} {'W' * 40 if kind > 0.97 else words}"


@st.composite
def fishes(draw: st.DrawFn) -> Fish:
    """Trees up to 10 categories of 12 causes of 3 sub-causes, the largest ones often."""
    rng = random.Random(draw(st.integers(0, 2**32)))
    most = draw(st.tuples(*(st.one_of(st.integers(1, top), st.just(top)) for top in (10, 12, 3))))
    least = draw(st.sampled_from([0, 1])) * rng.random()

    def twig(prefix: str, parts: tuple[Twig, ...]) -> Twig:
        status = rng.choice(("confirmed", "suggested", "ruled_out"))
        return Twig(name(rng, prefix), rng.randint(0, 10 ** rng.randint(1, 5)), status, parts)

    bones = []
    for i in range(most[0]):
        twigs = []
        for j in range(max(rng.randint(int(least * most[1]), most[1]), 1 - i)):
            inner = range(rng.randint(int(least * most[2]), most[2]))
            twigs.append(twig(f"c{i}.{j}.", tuple(twig(f"s{i}.{j}.{k}.", ()) for k in inner)))
        note = rng.choice(("177 tickets, 29% (26 to 33)", "177件，29%（26至33）"))
        bones.append(Bone(name(rng, f"b{i}."), note, rng.random(), tuple(twigs)))
    return Fish(
        head=name(rng, "head"),
        notes=("604 coded tickets", "30 Jun –\n24 Aug 2025"),
        bones=tuple(bones),
        legend=(("confirmed", "confirmed"), ("suggested", "suggested"), ("ruled_out", "ruled out")),
        hint="number: tickets of the cause; line weight: share of the category; +n: sub-causes folded",
        further="+{n} causes, on a page of their own",
        beyond="{n} further categories with {tickets} tickets stand in the outline only.",
        number=wording.count,
    )


def ink(label: Label) -> Box:
    """Box of a label's letters by the font itself."""
    renderer: Any = RendererAgg(1, 1, theme.PIXELS)
    font = font_manager.FontProperties(family=list(theme.families()), size=label.size)
    width, height, descent = renderer.get_text_width_height_descent(theme.drawable(label.words), font, False)
    left = label.x - {"left": 0.0, "center": 0.5, "right": 1.0}[label.align] * width
    return left, label.y - (height - descent), left + width, label.y + descent


def crossed(box: Box, start: tuple[float, float], end: tuple[float, float]) -> bool:
    """Whether a line runs through a box."""
    (x0, y0), (x1, y1) = start, end
    steps = [i / 200 for i in range(201)]
    points = ((x0 + (x1 - x0) * step, y0 + (y1 - y0) * step) for step in steps)
    return any(box[0] < x < box[2] and box[1] < y < box[3] for x, y in points)


def held(box: Box, panel: Box) -> bool:
    left, top, width, height = panel
    return left <= box[0] and box[2] <= left + width and top <= box[1] and box[3] <= top + height


def faults(page: Page) -> list[str]:
    """Every way in which the words of a page are not readable."""
    boxes = [(label.words, ink(label)) for label in page.labels]
    found = []
    for words, (left, top, right, bottom) in boxes:
        if left < 0 or right > WIDTH or top < 0 or bottom > page.height:
            found.append(f"{words!r} leaves the page")
    for (one, a), (two, b) in combinations(boxes, 2):
        if overlapping([a, b]):
            found.append(f"{one!r} and {two!r} overlap")
    panels = [(left, top, left + width, top + height) for left, top, width, height in page.boxes]
    found += ["two boxes overlap" for _ in overlapping(panels)]
    for words, box in boxes:
        inside = [held(box, panel) for panel in page.boxes]
        if any(overlapping([box, panel]) for panel, own in zip(panels, inside, strict=True) if not own):
            found.append(f"{words!r} lies across a box")
        lines = [*((start, end) for start, end, _ in page.bones), page.spine]
        if not any(inside) and any(crossed(box, *line) for line in lines):
            found.append(f"{words!r} is struck through")
    if page.height > HEIGHT + 1:
        found.append(f"the page is {page.height} px high")
    return found


def begins(page: Page, token: str) -> Label | None:
    return next((label for label in page.labels if f"{label.words} ".startswith(f"{token} ")), None)


def disorder(fish: Fish, pages: tuple[Page, ...]) -> list[str]:
    """Every way in which words are lost or do not stand in order."""
    found = []
    for i, bone in enumerate(fish.bones):
        own = [page for page in pages if i in page.shows]
        for page in own:
            spine = page.spine[0][1]
            there = [begins(page, f"c{i}.{j}.") for j in range(len(bone.twigs))]
            away = [abs(label.y - spine) for label in there if label is not None]
            if away != sorted(away):
                found.append(f"causes of {i} do not go outwards")
        for j, twig in enumerate(bone.twigs):
            for token in (f"c{i}.{j}.", *(f"s{i}.{j}.{k}." for k in range(len(twig.parts)))):
                if not any(begins(page, token) for page in own):
                    found.append(f"{token} is lost")
    return found


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(fishes())
def test_no_words_overlap_leave_the_page_or_get_lost_whatever_the_tree(fish: Fish) -> None:
    pages = layout(fish)
    for page in pages:
        assert faults(page) == []
    assert disorder(fish, pages) == []


@pytest.mark.slow
@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(fishes())
def test_no_words_overlap_in_many_more_trees(fish: Fish) -> None:
    pages = layout(fish)
    for page in pages:
        assert faults(page) == []
    assert disorder(fish, pages) == []


def full(
    causes: int, parts: int, categories: int = 6, words: str = "Keyword classes too coarse for routing"
) -> Fish:
    def twigs(i: int, j: int) -> tuple[Twig, ...]:
        return tuple(Twig(f"s{i}.{j}.{k}. Part", 1, "suggested") for k in range(parts))

    bones = tuple(
        Bone(
            f"b{i}. Category",
            "177 tickets, 29% (26 to 33)",
            0.2,
            tuple(Twig(f"c{i}.{j}. {words}", 99 - j, "suggested", twigs(i, j)) for j in range(causes)),
        )
        for i in range(categories)
    )
    return Fish("Late", (), bones, (), "", "+{n} causes", "{n} further, {tickets}", wording.count)


def test_what_does_not_fit_folds_to_plus_n_then_gets_a_page_of_its_category() -> None:
    [page] = layout(full(4, 2))
    assert begins(page, "s0.0.1.") is not None
    first, *others = layout(full(8, 3))
    assert begins(first, "s0.0.0.") is None
    assert [label.words for label in first.labels if label.words.endswith("+3")]
    assert [page.shows for page in others] == [(0,), (1,), (2,), (3,), (4,), (5,)]
    assert all(page.alone for page in others)
    first, *others = layout(full(12, 3, words="Keyword classes too coarse for routing in the evening"))
    assert [label.words for label in first.labels if label.words.startswith("+")] != []
    assert begins(others[0], "c0.11.") is not None


def test_more_than_six_categories_go_on_and_more_than_twelve_are_named() -> None:
    pages = layout(full(1, 0, categories=10))
    assert [page.shows for page in pages] == [(0, 1, 2, 3, 4, 5), (6, 7, 8, 9)]
    pages = layout(full(1, 0, categories=14))
    assert len(pages) == 2
    assert "2 further, 198" in [label.words for label in pages[1].labels]
    assert faults(pages[1]) == []


def test_letters_stay_above_seven_points_in_print() -> None:
    assert SIZE * PRINTED >= 7
    assert min(label.size for page in layout(full(12, 3)) for label in page.labels) == SIZE


def test_faults_are_found() -> None:
    page = Page(height=100.0, spine=((0, 50), (800, 50)))
    places = {"one": (10, 20), "two": (20, 22), "outside": (870, 90), "on the spine": (300, 54)}
    page.labels += [Label(x, y, words, "plain") for words, (x, y) in places.items()]
    assert faults(page) == [
        "'outside' leaves the page",
        "'one' and 'two' overlap",
        "'on the spine' is struck through",
    ]


def test_every_page_is_drawn_as_it_is_laid_out(tmp_path: Path) -> None:
    codes = [(f"Cause {n} with a rather long name", f"Group {n % 4}") for n in range(90)]
    rows = [ticket(n, DAY, cause, category=group) for n, (cause, group) in enumerate(codes)]
    pages = charts.fishbone(made_causes(tmp_path, rows, category="category"))
    assert [page.alone for page, _ in pages] == [False, True, True, True, True]
    for _, figure in pages:
        found = [box for _, box in drawn(figure)]
        assert overlapping(found, least=2.0) == []

"""Pictures: valid specifications of every kind, drawn with what the rows say, to their last digit and no further."""

import re
from itertools import pairwise

import altair
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.dashboards.charts import KINDS, specifications, value_column
from rapport.dashboards.charts.drawing import drawing, drawings
from rapport.dashboards.charts.lettering import spread, text_width, wrapped
from rapport.dashboards.charts.style import SCHEMA
from rapport.dashboards.charts.values import decimals, shown, tick_places, ticks
from rapport.dashboards.questions import CHARTS

ORANGE = "#d55e00"
COURSE = {
    "session_number": [1, 2, 3, 4],
    "mean_pomp": [80.0, None, 84.5, 90.0],
    "low": [78.0, None, 80.0, 87.0],
    "high": [82.0, None, 88.0, 93.0],
}
STAYING = {
    "session_number": [1, 2, 3, 4, 5],
    "staying_share": [0.9, 0.8, None, 0.45, 0.4],
    "at_risk_count": [50, 45, 40, 30, 20],
}
LIMITS = {"target": 0.5, "low_95": 0.3, "high_95": 0.7, "low_998": 0.2, "high_998": 0.8}
FUNNEL = [
    {"n": n, "share": share, "who": who, **LIMITS}
    for n, share, who in ((20, 0.5, "T01"), (30, 0.75, "T02"), (40, 0.1, "T03"), (50, None, None))
]
EXAMPLES = {
    "line": (pl.DataFrame(COURSE), {"x": "session_number", "y": "mean_pomp", "low": "low", "high": "high"}),
    "survival": (
        pl.DataFrame(STAYING),
        {"x": "session_number", "y": "staying_share", "at_risk": "at_risk_count", "x_title": "Sessions"},
    ),
    "funnel": (pl.DataFrame(FUNNEL), {"x": "n", "y": "share", "series": "who", **{name: name for name in LIMITS}}),
    "heatmap": (
        pl.DataFrame({"hour": [8, 9, 8, 9], "weekday": [1, 1, 2, 2], "missed_share": [0.1, None, 0.17, 0.02]}),
        {"x": "hour", "y": "weekday", "value": "missed_share"},
    ),
    "bars": (
        pl.DataFrame({"rule": ["a_rule", "other"], "share": [0.25, None], "low": [0.2, None], "high": [0.3, None]}),
        {"x": "share", "y": "rule", "low": "low", "high": "high"},
    ),
    "slope": (
        pl.DataFrame({"stage": ["first", "later"] * 2, "mean": [60, 70, 55, 50], "who": ["a", "a", "b", "b"]}),
        {"x": "stage", "y": "mean", "series": "who"},
    ),
}


def drawn(kind: str, rows: pl.DataFrame | None = None, **other: object) -> str:
    example, chart = EXAMPLES[kind]
    chart = {"kind": kind, "title": "T", **chart, **other}
    return "".join(
        drawing(spec, "a", "What it shows.") for _, spec in specifications(example if rows is None else rows, chart)
    )


def texts(svg: str) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]+)<", svg)


def test_every_kind_of_chart_that_a_question_may_name_is_drawn():
    assert KINDS.keys() == CHARTS.keys() == EXAMPLES.keys()


@pytest.mark.parametrize("kind", KINDS)
def test_a_specification_is_valid_vega_lite_whatever_the_rows_hold(kind):
    rows, chart = EXAMPLES[kind]
    value = value_column(rows, {"kind": kind, **chart})
    hidden = rows.with_columns(pl.lit(None, dtype=rows[value].dtype).alias(value))
    for some in (rows, rows.head(1), hidden, rows.clear()):
        spec = KINDS[kind](some, {"kind": kind, "title": "T", **chart})
        assert spec["$schema"] == SCHEMA
        altair.Chart.from_dict(spec)
        assert drawing(spec, "a", "alt").startswith("<svg")


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_asks_for_nothing_and_says_what_it_shows(kind):
    svg = drawn(kind)
    assert 'role="img" aria-labelledby="a-alt"><title id="a-alt">What it shows.</title>' in svg
    assert not re.search(r"(href|src)=|url\((?!#a-)", svg)
    assert "Liberation Sans, Arial, sans-serif" in svg


def test_a_line_names_its_ends_and_a_hidden_value_is_a_dash_and_a_break():
    svg = drawn("line")
    assert {"80.0", "90.0", "–"} <= set(texts(svg))
    paths = re.findall(r'stroke="#0072b2"[^>]*d="([^"]*)"|d="([^"]*)"[^>]*stroke="#0072b2"', svg)
    assert any("".join(path).count("M") == 2 for path in paths)  # one line in two pieces


def test_several_lines_are_named_where_they_end_and_a_rater_has_one_colour_everywhere():
    rows = pl.DataFrame({"x": [1, 2, 1, 2], "y": [1.0, 2.0, 3.0, 2.0], "who": ["therapist"] * 2 + ["client"] * 2})
    svg = drawn("line", rows, x="x", y="y", series="who", low="y", high="y")
    ends = {
        text: color for color, text in re.findall(r'<text[^>]*fill="(#\w+)"[^>]*>((?:client|therapist)[^<]*)<', svg)
    }
    assert ends == {"client 2": "#0072b2", "therapist 2": "#1f2933"}


def test_a_survival_curve_begins_with_all_holds_over_hidden_steps_and_says_when_half_have_left():
    said = texts(drawn("survival"))
    assert {"100%", "0%", "Half have left after 4", "40%", "At risk"} <= set(said)
    assert {"45", "40", "30", "20"} <= set(said)


def test_a_funnel_names_only_what_lies_outside_and_orange_is_for_the_998_limits():
    svg = drawn("funnel")
    assert {"T02", "T03", "Average 50%", "99.8% limit", "95% limit"} <= set(texts(svg))
    assert "T01" not in texts(svg)
    assert svg.count(ORANGE) == 2  # the diamond and its name


def test_a_heatmap_shows_a_hidden_cell_as_a_dash_and_nothing_as_nothing():
    rows = EXAMPLES["heatmap"][0].head(3)
    said = texts(drawn("heatmap", rows))
    assert said.count("–") == 1
    assert {"10%", "17%", "Mon", "Tue"} <= set(said)
    assert len(re.findall(r'role="cell"|aria-roledescription="rect"', drawn("heatmap", rows))) == 0
    assert len([text for text in said if text.endswith("%")]) == 2


def test_a_bar_has_its_value_at_the_end_and_a_hidden_one_a_dash():
    assert {"25%", "–", "a rule"} <= set(texts(drawn("bars")))


def test_a_panel_of_which_nothing_is_shown_has_no_picture():
    rows = pl.DataFrame({"p": ["a", "b"], "rule": ["r", "r"], "share": [0.5, None]})
    chart = {"kind": "bars", "x": "share", "y": "rule", "panel": "p"}
    assert [name for name, _ in specifications(rows, chart)] == ["A"]


@pytest.mark.parametrize(
    ("values", "percent", "said"),
    [
        ([0.165], True, ["16.5%"]),
        ([0.29, 0.07], True, ["29%", "7%"]),
        ([16.5, 3.0], False, ["16.5", "3.0"]),
        ([1234567], False, ["1,234,567"]),
        ([-0.5, -0.0, None], False, ["−0.5", "0.0", "–"]),
    ],
)
def test_a_value_is_shown_with_the_digits_that_its_column_has(values, percent, said):
    places = decimals(values, percent=percent)
    assert [shown(value, places, percent=percent) for value in values] == said


@given(st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=8), st.integers(0, 4))
def test_showing_a_rounded_value_never_rounds_again(numbers, places):
    values = [number / 10**places for number in numbers]
    found = decimals(values)
    assert [float(shown(value, found).replace(",", "").replace("−", "-")) for value in values] == values


@given(st.floats(-1e6, 1e6), st.floats(0.001, 1e6))
def test_ticks_are_round_and_hold_what_is_drawn(low, span):
    at = ticks(low, low + span)
    assert at[0] <= low + 1e-6 * span
    assert at[-1] >= low + span * (1 - 1e-6)
    assert 2 <= len(at) <= 13
    assert tick_places(at) <= 12


@given(st.lists(st.floats(0, 200), min_size=1, max_size=10))
def test_labels_are_moved_apart_in_their_order(places):
    moved = spread(places, 15, 200)
    ordered = sorted(zip(places, moved, strict=True))
    assert all(b[1] - a[1] >= 15 - 1e-6 for a, b in pairwise(ordered) if a[0] != b[0])
    assert max(moved) <= 200


def test_a_long_name_is_broken_at_spaces_and_loses_nothing():
    lines = wrapped("a questionnaire with a rather long name", 120)
    assert " ".join(lines) == "a questionnaire with a rather long name"
    assert all(text_width(line) <= 120 for line in lines)


def test_what_was_drawn_before_is_kept_and_what_differs_in_anything_is_drawn_anew():
    rows, chart = EXAMPLES["line"]
    (_, spec), *_ = specifications(rows, {"kind": "line", "title": "T", **chart})
    first = drawing(spec, "a", "What it shows.")
    kept = {mark: f"{svg}<!-- kept -->" for mark, svg in drawings(f"<p>{first}</p>").items()}
    assert drawing(spec, "a", "What it shows.", kept) == f"{first}<!-- kept -->"
    assert drawing(spec, "a", "What it shows.", {}) == first
    others = ({**spec, "height": 77}, "a", "What it shows."), (spec, "b", "What it shows."), (spec, "a", "Another.")
    assert not any(drawing(*other, kept).endswith("kept -->") for other in others)

"""An instrument file that cannot be right is refused with the file, the key and the reason."""

import os
import re

import pytest

from rapport.warehouse.errors import Unusable
from rapport.warehouse.instruments import load_instruments, read_instrument

GOOD = """
title = "Own"
construct = "alliance"
respondents = ["client"]
timing = "session_end"
direction = "higher_better"
citation = "Someone 2020"
licence = "free"
[items]
count = 3
minimum = 0
maximum = 4
step = 1
reversed = [2]
[scales.total]
description = "All of them."
items = [1, 2, 3]
score = "sum"
missing = "complete_only"
"""
KEYS = [line.split(" = ")[0] for line in GOOD.splitlines() if " = " in line]
WRONG = [
    ('title = "Own"', "title = 5", "'title' must be text in quotes"),
    ('citation = "Someone 2020"', 'citation = " "', "'citation' must be text"),
    (
        'construct = "alliance"',
        'construct = "love"',
        "construct = 'love' is not one of alliance, rupture, responsiveness",
    ),
    ('timing = "session_end"', 'timing = "later"', "timing = 'later' is not one of session_start"),
    ('direction = "higher_better"', 'direction = "up"', "direction = 'up' is not one of"),
    ('respondents = ["client"]', 'respondents = ["dog"]', "respondents = 'dog' is not one of client"),
    ('respondents = ["client"]', 'respondents = "client"', "'respondents' must be a list of texts"),
    ("maximum = 4", "maximum = 0", r"\[items\] minimum must be below maximum"),
    ("minimum = 0", 'minimum = "0"', r"\[items\]: 'minimum' must be a number"),
    ("count = 3", "count = 2.5", r"\[items\]: 'count' must be a whole number"),
    ("step = 1", "steps = 1", "the unknown key 'steps'; did you mean 'step'"),
    ("maximum = 4", "maximum = inf", r"\[items\]: 'maximum' must be a number, from -1,000,000 to 1,000,000"),
    ("maximum = 4", "maximum = nan", r"\[items\]: 'maximum' must be a number"),
    ("maximum = 4", "maximum = 1e9", r"\[items\]: 'maximum' must be a number"),
    ("maximum = 4", f"maximum = 0x{'f' * 5000}", r"\[items\]: 'maximum' must be a number"),
    ("maximum = 4", f"maximum = {'9' * 5000}", "is not TOML: Exceeds the limit"),
    ("minimum = 0", "minimum = -inf", r"\[items\]: 'minimum' must be a number"),
    ("step = 1", "step = 1e-300", r"\[items\] step must be above 0"),
    ("step = 1", "step = 1\nnever = [nan]", r"\[items\]: 'never' must be a list of numbers"),
    ("count = 3", "count = 501", r"\[items\] count = 501 is more than 500 items"),
    ("count = 3", "count = 0", r"\[items\]: 'count' must be a whole number, from 1"),
    ("count = 3", "count = 99999999999", r"\[items\]: 'count' must be a whole number, from 1"),
    ('licence = "free"', 'licence = "free"\nage_to = 99999999999', "'age_to' must be an age in years"),
    ('licence = "free"', 'licence = "free"\nwindow_hours = [48, inf]', "'window_hours' must be two numbers of hours"),
    ("reversed = [2]", "reversed = [4]", r"\[items\] reversed must name items from 1 to 3, each once"),
    ("items = [1, 2, 3]", "items = [1, 2, 4]", r"\[scales.total\] items must name items from 1 to 3"),
    ("items = [1, 2, 3]", "items = [0, 1, 2]", r"\[scales.total\] items must name items from 1 to 3"),
    ("items = [1, 2, 3]", "items = [1, 2, 2]", r"\[scales.total\] items must name .* each once"),
    ("items = [1, 2, 3]", "items = []", r"\[scales.total\] items is empty"),
    ("items = [1, 2, 3]", 'items = ["1"]', r"\[scales.total\]: 'items' must be a list of whole numbers"),
    ('score = "sum"', 'score = "median"', r"\[scales.total\] score = 'median' is not one of sum, mean"),
    ('missing = "complete_only"', 'missing = "guess"', r"\[scales.total\] missing = 'guess' is not one of"),
    ("[scales.total]", "[scale.total]", "the unknown key 'scale'; did you mean 'scales'"),
    ('licence = "free"', "licence = free", "Invalid value"),
    (
        'licence = "free"',
        'licence = "free"\nstatus = "sure"',
        "status = 'sure' is not one of published, recalled, local",
    ),
    ('licence = "free"', 'licence = "free"\nlicence_needed = "yes"', "'licence_needed' must be true or false"),
    ('licence = "free"', 'licence = "free"\nscored = false', r"scored = false and \[scales\] contradict"),
    ('licence = "free"', 'licence = "free"\nwindow_hours = [1]', "'window_hours' must be two numbers of hours"),
    ('licence = "free"', 'licence = "free"\nage_from = 9\nage_to = 8', "age_from must not be above age_to"),
    ("step = 1", "step = 0", r"\[items\] step must be above 0"),
    ("step = 1", "step = 1\noptional = [9]", r"\[items\] optional must name items from 1 to 3"),
    ('missing = "complete_only"', 'missing = "prorate_min"', r"prorate_min\(k\) needs its k"),
    ('missing = "complete_only"', 'missing = "sdq(3)"', r"no other rule has one"),
    ('missing = "complete_only"', 'missing = "prorate_min(4)"', "must need from 1 to 3 answers"),
    ('missing = "complete_only"', 'missing = "sdq"', "is written for 5 items; the scale has 3"),
    ('missing = "complete_only"', 'missing = "mean80"', "makes a mean, not a sum"),
    (
        'missing = "complete_only"',
        'missing = { rule = "rcads", rounding = "up" }',
        "rounding = 'up' is not one of half_away",
    ),
    ('score = "sum"', 'score = "sum"\ndirection = "up"', r"\[scales.total\] direction = 'up' is not one of"),
    ('score = "sum"', 'score = "sum"\nkey_not_found = "x"', "has both 'items' and 'key_not_found'"),
    ('score = "sum"', 'score = "sum"\nitem_count = 3', "the unknown key 'item_count'"),
]
THRESHOLD = '[thresholds.cut]\nscale = "total"\npopulation = "all"\n'
CHANGE = '[reliable_change.a]\nscale = "total"\npopulation = "all"\ncriterion = ">="\namount = 5\n'
KEYLESS = '[scales.x]\ndescription = "x."\nkey_not_found = "no paper"\n'
FORTY = [f"s{n}" for n in range(40)]


def made_of(name: str, *parts: str) -> str:
    return f'[scales.{name}]\ndescription = "x."\nadds = {list(parts)}\n'


MORE_WRONG = [
    (THRESHOLD, r"\[thresholds.cut\] has neither 'case' nor 'bands'"),
    (THRESHOLD + 'case = "36"', r"case = '36' is not an operator and a number"),
    (THRESHOLD + 'case = "=> 36"', "is not an operator and a number"),
    (THRESHOLD + 'case = "< 3"\nof = "mood"', "of = 'mood' is not one of score, t_score"),
    (THRESHOLD + 'case = "< 3"\nsex = "m"', "sex = 'm' is not one of"),
    (THRESHOLD + 'bands = { high = ">= 5", low = ">= 0" }', "the lowest first"),
    (THRESHOLD + 'bands = { low = "< 5" }', "bands must begin with > or >="),
    (THRESHOLD.replace("total", "totl") + 'case = "< 3"', "scale = 'totl' is not one of total"),
    (THRESHOLD.replace('population = "all"\n', "") + 'case = "< 3"', "has no key 'population'; add it"),
    (CHANGE.replace("5", "0"), "amount must be above 0"),
    (CHANGE.replace(">=", "<"), "criterion = '<' is not one of >=, >"),
    ('[norms.a]\nscale = "total"', r"\[norms.a\] has no key 'sample'; add it"),
    ('[reliability.a]\nscale = "total"\nkind = "alpha"\nsample = "x"', "needs 'value', or 'low' and 'high'"),
    ('[reliability.a]\nscale = "total"\nkind = "beta"\nsample = "x"\nvalue = 0.5', "kind = 'beta' is not one of alpha"),
    ('[risk.a]\nitems = [4]\nat = ">= 1"', r"\[risk.a\] items must name items from 1 to 3"),
    (THRESHOLD + f'case = "< {"9" * 400}"', "is not an operator and a number"),
    (CHANGE.replace("5", "inf"), r"\[reliable_change.a\]: 'amount' must be a number"),
    (
        '[norms.a]\nscale = "total"\nsample = "x"\nsd = 0',
        r"\[norms.a\]: 'sd' must be a number, a standard deviation above 0",
    ),
    ('[scales.sum]\ndescription = "x."\nadds = ["totl"]', "adds or subtracts = 'totl' is not one of total, sum"),
    ('[scales.sum]\ndescription = "x."\nadds = []', r"\[scales.sum\] adds and subtracts must name other scales"),
    (KEYLESS + "minimum = 5\nmaximum = 5", "needs 'minimum' and 'maximum', the first below the second, or neither"),
    (KEYLESS + "minimum = 5", "needs 'minimum' and 'maximum'"),
    (KEYLESS + "item_count = 501", "item_count = 501 is more than 500 items"),
    (made_of("a", "a"), r"\[scales.a\] contains itself, by 'adds' or 'subtracts' of 'a'; name the items"),
    (made_of("a", "b") + made_of("b", "c") + made_of("c", "b"), r"\[scales.b\] contains itself, by .* 'b' and 'c'"),
    (made_of("a", "b").replace("adds", 'adds = ["total"]\nsubtracts') + made_of("b", "a"), "contains itself"),
    ("".join(made_of(f"s{n}", f"s{n + 1}") for n in range(99)) + made_of("s99", "total"), "is below 10 scales"),
    (made_of("s0", "total") + "".join(made_of(f"s{n}", *FORTY[:n]) for n in range(1, 40)), "more than 500 items"),
    ("[items.skipped]\n4 = 1", r"\[items.skipped\] must name items from 1 to 3"),
    ("[items.skipped]\nb = 1", r"\[items.skipped\] must name items by their numbers"),
    ("[items.other.a]\nitems = [1]\nminimum = 1\nmaximum = 0\nstep = 1", "minimum must be below maximum"),
]


def refusal(tmp_path, text: str | bytes) -> str:
    file = tmp_path / "own.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(Unusable) as refused:
        read_instrument(file)
    return str(refused.value)


def test_the_file_that_the_others_are_spoiled_copies_of_is_read(tmp_path):
    (tmp_path / "own.toml").write_text(GOOD, encoding="utf-8")
    found = read_instrument(tmp_path / "own.toml")
    assert (found.name, found.item_count, found.reversed, found.scales[0].items) == ("own", 3, (2,), (1, 2, 3))


@pytest.mark.parametrize("key", [key for key in KEYS if key != "reversed"])
def test_a_missing_key_is_named(tmp_path, key):
    spoiled = "\n".join(line for line in GOOD.splitlines() if not line.startswith(f"{key} ="))
    assert f"has no key '{key}'; add it" in refusal(tmp_path, spoiled)


@pytest.mark.parametrize(("right", "wrong", "reason"), WRONG, ids=[wrong[:60] for _, wrong, _ in WRONG])
def test_a_wrong_value_is_refused_with_file_key_and_reason(tmp_path, right, wrong, reason):
    told = refusal(tmp_path, GOOD.replace(right, wrong, 1))
    assert told.startswith("instrument file own.toml")
    assert re.search(reason, told)


@pytest.mark.parametrize(("more", "reason"), MORE_WRONG, ids=[more[:60] for more, _ in MORE_WRONG])
def test_a_wrong_threshold_norm_or_part_is_refused_with_file_key_and_reason(tmp_path, more, reason):
    told = refusal(tmp_path, GOOD + more)
    assert told.startswith("instrument file own.toml")
    assert re.search(reason, told)


def test_items_and_scales_must_be_sections(tmp_path):
    head = GOOD[: GOOD.index("[items]")]
    assert "'items' must be a section" in refusal(tmp_path, head + "items = 3\nscales = 4")
    assert "[scales]: 'total' must be a section" in refusal(
        tmp_path, GOOD[: GOOD.index("[scales")] + "[scales]\ntotal = 3"
    )


def test_a_file_that_is_not_utf_8_is_refused(tmp_path):
    assert "own.toml" in refusal(tmp_path, GOOD.replace("Someone", "Zoë").encode("cp1252"))


def test_reversed_items_may_be_left_out(tmp_path):
    (tmp_path / "own.toml").write_text(GOOD.replace("reversed = [2]\n", ""), encoding="utf-8")
    assert read_instrument(tmp_path / "own.toml").reversed == ()


def test_a_clinics_own_file_wins_over_the_one_of_the_same_name_and_the_others_stay(tmp_path):
    (tmp_path / "srs.toml").write_text(GOOD, encoding="utf-8")
    found = load_instruments(tmp_path)
    assert (found["srs"].title, found["ors"].title) == ("Own", "Outcome Rating Scale")


def test_the_range_of_a_sum_is_that_of_its_items_together_and_of_a_mean_that_of_one(tmp_path):
    (tmp_path / "own.toml").write_text(
        GOOD + '[scales.average]\ndescription = "x."\nitems = [1, 3]\nscore = "mean"\nmissing = "complete_only"\n',
        encoding="utf-8",
    )
    found = read_instrument(tmp_path / "own.toml")
    assert [found.range_of(scale) for scale in found.scales] == [(0, 12), (0, 4)]


def test_a_scale_that_is_made_of_others_may_stand_before_them(tmp_path):
    later = made_of("all", "total", "few") + '[scales.few]\ndescription = "x."\nitems = [1]\nscore = "sum"\n'
    (tmp_path / "own.toml").write_text(GOOD + later + 'missing = "complete_only"\n', encoding="utf-8")
    found = read_instrument(tmp_path / "own.toml")
    assert [scale.name for scale in found.scales] == ["total", "few", "all"]
    assert found.range_of(found.scale("all")) == (0, 16)


def test_a_file_nested_beyond_reading_is_refused(tmp_path):
    deep = GOOD + "".join(f"[scales.total.{'.'.join('a' * depth)}]\n" for depth in (100,))
    assert "has the key 'scales', which is nested deeper than 100" in refusal(tmp_path, deep)
    assert "is nested deeper than 100" in refusal(tmp_path, GOOD + f"[norms]\na = {'[' * 5000}{']' * 5000}")


def test_a_file_whose_name_is_no_text_of_one_line_is_refused(tmp_path):
    for name in ("a\nb.toml", os.fsdecode(b"caf\xe9.toml")):
        (tmp_path / name).write_text(GOOD, encoding="utf-8")
        with pytest.raises(
            Unusable, match=r"instrument file (a\\nb|caf\\xe9).toml: its name without .toml = "
        ) as refused:
            read_instrument(tmp_path / name)
        assert "\n" not in str(refused.value)


def test_a_clinic_s_own_file_is_local_unless_it_says_otherwise(tmp_path):
    (tmp_path / "own.toml").write_text(GOOD, encoding="utf-8")
    found = read_instrument(tmp_path / "own.toml")
    assert (found.scales[0].origin.status, found.scales[0].origin.source) == ("local", "Someone 2020")


def test_exceptions_are_said_at_the_fact(tmp_path):
    stated = GOOD.replace('licence = "free"', 'licence = "free"\nstatus = "published"')
    (tmp_path / "own.toml").write_text(stated + 'status = "recalled"\nsource = "memory"', encoding="utf-8")
    found = read_instrument(tmp_path / "own.toml")
    assert (found.items_origin.status, found.scales[0].origin.status) == ("published", "recalled")
    assert found.scales[0].origin.source == "memory"


def test_an_item_may_have_a_range_of_its_own(tmp_path):
    more = "[items.other.yes_or_no]\nitems = [2]\nminimum = 0\nmaximum = 1\nstep = 1\n"
    (tmp_path / "own.toml").write_text(GOOD.replace("[scales", more + "[scales"), encoding="utf-8")
    found = read_instrument(tmp_path / "own.toml")
    assert found.range_of(found.scales[0]) == (0, 9)


def test_an_instrument_may_state_its_own_matching_window(tmp_path):
    stated = GOOD.replace('licence = "free"', 'licence = "free"\nwindow_hours = [1, 24]')
    (tmp_path / "own.toml").write_text(stated, encoding="utf-8")
    assert read_instrument(tmp_path / "own.toml").window == ("ends_at", 1, 24)
    (tmp_path / "own.toml").write_text(GOOD, encoding="utf-8")
    assert read_instrument(tmp_path / "own.toml").window == ("ends_at", 0.25, 72)

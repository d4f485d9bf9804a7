"""Random small clinics: hidden stays hidden in every profile, totals fit, and little is hidden without need."""

import random

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapport.dashboards.disclosures import read_disclosure
from rapport.dashboards.questions import Question
from rapport.transforms.hiding.disclosure import hide
from rapport.warehouse.clinic_file.hiding import PROFILES, read_shared_rules
from rapport.warehouse.schema.questions import ALL
from tests.attacks.attacker import Attack, Publication

SITES, PROGRAMS, QUARTERS = ("north", "south", "west"), ("art", "talk", "play"), ("Q1", "Q2")
FILTERS = ("site", "program")
CONTRACT = {
    "clients": "n",
    "keys": ["quarter", *FILTERS],
    "along": "quarter",
    "counts": ["n"],
    "parts": {"k": {"of": "n"}},
    "means": {"m": {"of": "n", "range": [0, 100]}},
}
WITHOUT_NEED = 0.12  # of the numbers that their own row lets be shown, how many are hidden for what they give away
TEXTS = dict.fromkeys(("title", "question", "answer", "group", "alt", "note", "query"), "")
ASKED = Question(
    name="random",
    order=1,
    audience="shared",
    chart={},
    columns={},
    filters=FILTERS,
    disclosure=read_disclosure(CONTRACT),
    **TEXTS,
)
CLIENT = st.tuples(
    st.sampled_from(QUARTERS),
    st.sampled_from(SITES),
    st.sampled_from(PROGRAMS),
    st.booleans(),  # does the part hold of them?
    st.integers(0, 100),
    st.booleans(),  # do they come after the first publication?
)
CLINIC = st.lists(CLIENT, min_size=1, max_size=70)


def drawn(seed: int) -> list[tuple]:
    """A clinic whose sites and programs differ in size."""
    dice = random.Random(seed)
    chances = [[dice.random() for _ in names] for names in (QUARTERS, SITES, PROGRAMS)]
    told = lambda at, names: dice.choices(names, chances[at])[0]  # noqa: E731
    return [
        (
            told(0, QUARTERS),
            told(1, SITES),
            told(2, PROGRAMS),
            dice.random() < 0.6,
            dice.randint(0, 100),
            dice.random() < 0.1,
        )
        for _ in range(dice.randint(10, 150))
    ]


def table(clients: list[tuple]) -> pl.DataFrame:
    """The rows that a question's query would give: under 'All', and under each site and program."""
    names = ["quarter", "site", "program", "is_so", "pomp", "is_late"]
    each = pl.DataFrame(clients, schema=names, orient="row")
    under = [each.with_columns(pl.lit(ALL).alias(other) for other in hid) for hid in (FILTERS, ["program"], ["site"])]
    so = pl.col("is_so").sum().cast(pl.Int64)
    asked = {"n": pl.len().cast(pl.Int64), "k": so, "m": pl.col("pomp").mean()}
    return pl.concat(under).group_by("quarter", *FILTERS).agg(**asked)


def published(clients: list[tuple], profile: str) -> list[Publication]:
    """Both publications of it; the first without who came late."""
    audiences = {"site": [ALL, *SITES], "program": [ALL, *PROGRAMS]}
    both = [each for each in ([client for client in clients if not client[5]], clients) if each]
    rows = [table(each) for each in both]
    sharing, shown = read_shared_rules({"profile": profile}), None
    made = []
    for each in rows:
        shown = hide(each, ASKED.disclosure, FILTERS, sharing, audiences, shown)
        made.append(Publication(shown, each))
    return made


def attacked(clients: list[tuple], profile: str) -> list[str]:
    attack = Attack(PROFILES[profile])
    for at, each in enumerate(published(clients, profile)):
        attack.see(ASKED, at, each)
    attack.compare()
    return attack.broken() if attack.targets else []


@pytest.mark.parametrize("profile", PROFILES)
@given(clients=CLINIC)
@settings(max_examples=15, deadline=None, derandomize=True)
def test_no_random_clinic_can_be_broken(profile, clients):
    assert attacked(clients, profile) == []


@pytest.mark.parametrize("profile", PROFILES)
def test_no_drawn_clinic_can_be_broken(profile):
    assert {seed: found for seed in range(15) if (found := attacked(drawn(seed), profile))} == {}


def seen(profile: str, true: int) -> int:
    return 0 if true == 0 else max(5 * round(true / 5), PROFILES[profile].lowest_shown)


@pytest.mark.parametrize("profile", PROFILES)
@given(clients=CLINIC)
@settings(max_examples=15, deadline=None, derandomize=True)
def test_what_is_shown_is_not_few_and_is_what_it_should_be(profile, clients):
    least, zero = PROFILES[profile].least, PROFILES[profile].shows_zero
    for each in published(clients, profile):
        joined = each.shown.join(each.truth, on=["quarter", *FILTERS], how="left", suffix=" true")
        for row in joined.iter_rows(named=True):
            n, k = row["n true"] or 0, row["k true"] or 0
            assert row["n"] in ({None, seen(profile, n)} if n >= least or (zero and not n) else {None})
            assert row["k"] in ({None, seen(profile, k)} if min(k, n - k) >= least else {None})
            assert row["m"] is None or (n >= 2 * least and row["m"] == round(row["m"]))
            assert row["is_hidden"] == (None in (row["n"], row["k"], row["m"]))


@pytest.mark.parametrize("profile", PROFILES)
@given(clients=CLINIC)
@settings(max_examples=15, deadline=None, derandomize=True)
def test_a_total_fits_what_is_shown_of_its_parts(profile, clients):
    slack = PROFILES[profile].lowest_shown - PROFILES[profile].least + 2
    for each in published(clients, profile):
        for name in FILTERS:
            other = next(each for each in FILTERS if each != name)
            rows = each.shown.filter(pl.col(other) == ALL)
            for (_,), group in rows.group_by("quarter"):
                whole = group.filter(pl.col(name) == ALL)["n"].item()
                parts = group.filter(pl.col(name) != ALL)["n"]
                if whole is not None:
                    assert parts.sum() <= whole + slack * (len(parts) + 1)
                    has_all = len(parts) == len(SITES) and not parts.null_count()
                    assert not has_all or parts.sum() >= whole - slack * (len(parts) + 1)


@pytest.mark.parametrize("profile", PROFILES)
def test_little_is_hidden_that_need_not_be(profile):
    least, could, hidden = PROFILES[profile].least, 0, 0
    for seed in range(40):
        each = published(drawn(seed), profile)[-1]
        rows = each.truth.join(each.shown, on=["quarter", *FILTERS], how="left", suffix=" shown")
        for row in rows.iter_rows(named=True):
            may = [(row["n"] >= least, "n"), (min(row["k"], row["n"] - row["k"]) >= least, "k")]
            could += sum(so for so, _ in may)
            hidden += sum(so and row[f"{name} shown"] is None for so, name in may)
    assert could > 300
    assert hidden / could <= WITHOUT_NEED

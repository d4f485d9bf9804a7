"""Small numbers: what is hidden of a shared question's rows. Rules as drawn tables; PRIVACY.md says them in words."""

from datetime import date

import polars as pl
import pytest

from rapport.dashboards.disclosures import read_disclosure
from rapport.transforms.hiding.disclosure import hide
from rapport.warehouse.clinic_file.hiding import read_shared_rules

COUNTS = {"clients": "n", "keys": ["site"], "counts": ["n"]}
AUDIENCES = {"site": ["All", "east", "north", "south", "west"]}


def shown(contract: dict, rows: list[dict], profile: str = "nhs", filters=("site",), audiences=None, **said):
    sharing = read_shared_rules({"profile": profile, **said})
    made = hide(pl.DataFrame(rows), read_disclosure(contract), filters, sharing, audiences or AUDIENCES)
    return made.to_dicts()


def sites(n: str = "n", **counts: int) -> list[dict]:
    rows = [{"site": site, n: count} for site, count in counts.items()]
    return [{"site": "All", n: sum(counts.values())}, *rows]


def told(rows: list[dict], column: str = "n") -> dict[str, int | None]:
    return {row["site"]: row[column] for row in rows}


@pytest.mark.parametrize(
    ("profile", "true", "seen"),
    [
        ("nhs", [0, 4, 5, 7, 8, 12, 13], [None, None, 5, 5, 10, 10, 15]),
        ("opensafely", [0, 7, 8, 12, 13, 17], [None, None, 10, 10, 15, 15]),
        ("cms", [0, 1, 10, 11, 17, 18], [0, None, None, 15, 15, 20]),
    ],
)
def test_a_count_is_hidden_below_the_profile_s_threshold_and_else_to_the_nearest_five(profile, true, seen):
    contract = COUNTS | {"keys": ["room"]}
    rows = [{"room": room, "n": count} for room, count in enumerate([*true, 900])]
    made = {row["room"]: (row["n"], row["is_hidden"]) for row in shown(contract, rows, profile, filters=())}
    # A row of which nothing is shown is not there: that somebody is in it would be all that it says.
    assert made == {room: (n, False) for room, n in enumerate([*seen, 900]) if n is not None}


def test_a_hidden_number_is_null_and_its_row_says_so():
    contract = {"clients": "n", "keys": ["site"], "counts": ["n"], "parts": {"k": {"of": "n"}}}
    rows = [{"site": "All", "n": 40, "k": 12}, {"site": "north", "n": 38, "k": 10}, {"site": "south", "n": 2, "k": 2}]
    made = shown(contract, rows, audiences={"site": ["All", "north"]})
    assert made == [
        {"site": "All", "n": 40, "k": 10, "is_hidden": False},
        {"site": "north", "n": 40, "k": 10, "is_hidden": False},
    ]


def test_a_hidden_site_that_rounding_leaves_open_costs_no_other_its_number():
    assert told(shown(COUNTS, sites(north=43, south=30, east=3))) == {"All": 75, "north": 45, "south": 30}


def test_where_totals_would_give_a_hidden_count_away_the_smallest_shown_beside_it_is_hidden_too():
    # 52 is shown as 50, that is at most 52; the sites shown as 10, 10, 15, 15 have at least 8, 8, 13 and 13 and 10 more
    contract = COUNTS | {"keys": ["site", "year"], "counts": ["n"]}
    rows = [{"year": 1, **row} for row in sites(north=8, south=8, west=8, east=8, middle=0)]
    rows += [{"year": 2, **row} for row in sites(north=50, south=50, west=50, east=50, middle=50)]
    audiences = {"site": [*AUDIENCES["site"], "middle"]}
    made = [row for row in shown(contract, rows, audiences=audiences) if row["year"] == 1]
    assert told(made)["All"] == 30
    assert sum(n is None for n in told(made).values()) == 2  # the middle, and one of those with eight


@pytest.mark.parametrize(("k", "seen"), [(4, None), (5, 5), (20, 20), (35, 35), (36, None), (40, None)])
def test_a_part_is_hidden_when_it_or_its_complement_is_few(k, seen):
    contract = COUNTS | {"keys": ["room"], "parts": {"k": {"of": "n"}}}
    assert shown(contract, [{"room": 1, "n": 40, "k": k}], filters=())[0]["k"] == seen


def test_twenty_missed_sessions_of_two_clients_are_hidden():
    contract = {
        "clients": "who",
        "keys": ["room"],
        "counts": ["n"],
        "parts": {"k": {"of": "n", "clients": "of_whom"}},
        "behind": ["who", "of_whom"],
    }
    rows = [
        {"room": 1, "n": 200, "who": 30, "k": 20, "of_whom": 2},
        {"room": 2, "n": 90, "who": 4, "k": 20, "of_whom": 4},
    ]
    assert shown(contract, rows, filters=()) == [{"room": 1, "n": 200, "k": None, "is_hidden": True}]


@pytest.mark.parametrize(("n", "mean", "seen"), [(9, 50.0, None), (10, 50.4, 50.0), (40, 97.6, None), (40, 97.4, 97.0)])
def test_a_mean_needs_twice_the_threshold_and_some_way_to_the_end_of_its_scale(n, mean, seen):
    contract = COUNTS | {"keys": ["room"], "means": {"m": {"of": "n", "range": [0, 100]}}}
    assert shown(contract, [{"room": 1, "n": n, "m": mean}], filters=())[0]["m"] == seen


def test_a_mean_of_nearly_all_is_hidden_beside_that_of_all():
    contract = COUNTS | {"means": {"m": {"of": "n", "range": [0, 100]}}}
    rows = [
        {"site": "All", "n": 43, "m": 60.0},
        {"site": "north", "n": 40, "m": 62.0},
        {"site": "south", "n": 3, "m": 30.0},
    ]
    assert told(shown(contract, rows), "m") == {"All": 60.0, "north": None}


def test_an_estimate_needs_twice_the_threshold_and_is_shown_to_its_step():
    contract = COUNTS | {"keys": ["room"], "estimates": {"r": {"of": "n", "step": 0.01}}}
    rows = [{"room": 1, "n": 30, "r": 0.3456}, {"room": 2, "n": 9, "r": 0.9}]
    assert [row["r"] for row in shown(contract, rows, filters=())] == [0.35, None]


def test_steps_in_which_few_dropped_out_are_joined_with_the_next():
    contract = {
        "clients": "at_risk",
        "keys": ["session"],
        "along": "session",
        "curve": {"share": "s", "at_risk": "at_risk", "events": "d"},
        "behind": ["d"],
    }
    steps = [(100, 6, 0.94), (90, 2, 0.92), (80, 1, 0.91), (70, 2, 0.88), (60, 0, 0.88), (20, 7, 0.57), (13, 10, 0.13)]
    rows = [{"session": at, "at_risk": n, "d": d, "s": s} for at, (n, d, s) in enumerate(steps, start=1)]
    made = shown(contract, rows, filters=())
    assert [row["s"] for row in made] == [0.94, None, None, 0.88, None, 0.57, None]
    assert [row["at_risk"] for row in made] == [100, 90, 80, 70, 60, 20, 15]


def test_a_site_with_too_few_clients_for_figures_of_its_own_has_no_rows_and_is_in_all():
    made = shown(COUNTS, sites(north=60, south=19), audiences={"site": ["All", "north"]})
    assert told(made) == {"All": 80, "north": 60}


def test_therapists_have_no_rows_where_there_are_fewer_than_the_clinic_s_minimum_and_no_order_else():
    contract = {"clients": "n", "keys": ["measure"], "counts": ["n"], "therapists": True}
    rows = [{"measure": "a", "n": n} for n in (40, 16, 25, 30, 21)] + [{"measure": "b", "n": n} for n in (50, 60)]
    made = shown(contract, rows, filters=(), therapists=True)
    assert [(row["measure"], row["n"]) for row in made] == [("a", n) for n in (15, 20, 25, 30, 40)]


@pytest.mark.parametrize("key", [date(2026, 11, 1), b"pseudonym", 1.5, None])
def test_a_key_that_could_single_somebody_out_is_refused(key):
    with pytest.raises(ValueError, match="the key site is a date, an id or a number"):
        shown(COUNTS, [{"site": key, "n": 50}], filters=())


def test_no_rows_are_no_rows():
    empty = pl.DataFrame(schema={"site": pl.String, "n": pl.Int32})
    made = hide(empty, read_disclosure(COUNTS), ["site"], read_shared_rules({}), AUDIENCES)
    assert made.columns == ["site", "n", "is_hidden"] and made.is_empty()

"""The safe files of three demo clinics under attack: PRIVACY.md, What is hidden."""

from dataclasses import replace

import polars as pl
import pytest

from rapport.warehouse.clinic_file.hiding import PROFILES
from tests.attacks.attacker import Publication, broken
from tests.attacks.attacker_of_means import least_open
from tests.clinics.nights import but_for_finished_tables, demo_place
from tests.clinics.shared_tables import two_publications

DAYS = ("2026-10-20", "2026-11-20")  # October closes in between
CLINICS = {"tiny": 30, "small": 55, "larger": 85}
OPEN = 0.02  # of a scale's range: what is left open even to who is told that exactly one person came or went


@pytest.fixture(scope="module")
def published_twice(tmp_path_factory):
    """The safe files of three clinics, by clinic and profile."""
    folder, places, made = tmp_path_factory.mktemp("attacked"), {}, {}
    for seed, (name, clients) in enumerate(CLINICS.items(), start=7):
        places[name] = demo_place(folder / name, clients=clients, nights=1, seed=seed)
        places[name].night("2026-11-20T12:00", but_for_finished_tables)

    def tables(name: str, profile: str):
        if (name, profile) not in made:
            made[name, profile] = two_publications(places[name], folder / f"{name} {profile}", profile, DAYS)
        return made[name, profile]

    return tables


@pytest.mark.parametrize(
    ("clinic", "profile", "rows"),
    [
        ("tiny", "nhs", 50),
        ("small", "nhs", 200),
        ("larger", "nhs", 400),
        ("larger", "opensafely", 200),
        ("larger", "cms", 100),
    ],
)
def test_nothing_few_and_no_person_can_be_worked_out_of_two_publications(published_twice, clinic, profile, rows):
    tables = published_twice(clinic, profile)
    assert sum(table.shown.height for _, both in tables for table in both) > rows
    assert broken(tables, PROFILES[profile]) == []
    assert min(least_open(asked, both, PROFILES[profile]) for asked, both in tables) > OPEN


def leaky(publication: Publication, asked) -> Publication:
    """Hiding cell by cell, as is often done: a count below five is left out, and every other shown as it is."""
    truth = publication.truth
    counts = [*asked.disclosure.counts, *asked.disclosure.parts]
    kept = [pl.when(pl.col(name) >= 5).then(pl.col(name)).alias(name) for name in counts]
    means = [
        pl.when(pl.col(mean["of"]) >= 5).then(pl.col(name).round(1)).alias(name)
        for name, mean in asked.disclosure.means.items()
    ]
    return replace(publication, shown=truth.select(*asked.disclosure.keys, *kept, *means))


def test_the_same_attacker_breaks_a_question_that_hides_cell_by_cell(published_twice):
    asked, both = next(each for each in published_twice("small", "nhs") if each[0].name == "staying_past_four")
    assert len(broken([(asked, [leaky(each, asked) for each in both])], PROFILES["nhs"], is_exact=True)) > 5


def test_the_same_attacker_reads_a_person_s_score_off_two_means_of_one_decimal(published_twice):
    asked, both = next(each for each in published_twice("small", "nhs") if each[0].name == "alliance_by_session")
    assert least_open(asked, [leaky(each, asked) for each in both], PROFILES["nhs"], is_exact=True) < OPEN

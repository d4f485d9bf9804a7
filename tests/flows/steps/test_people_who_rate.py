"""Nights of a couple: each partner is a person where the clinic file says so; before, all are number 1."""

import csv
import io
from datetime import date

import duckdb
import pytest

from rapport import transforms
from rapport.flows.ops.forget import NobodyKnown, find_rater, forget, still_holding
from rapport.flows.order import place_change
from rapport.warehouse.places.folders import Folders
from rapport.warehouse.places.versions import kept_versions
from rapport.warehouse.store.building_file import open_published, with_other_columns
from tests.clinics.nights import APPOINTMENTS, CLINIC, RESPONSES, Place, differences, open_place, writable

PEOPLE = CLINIC.replace('files = "responses_', 'rater_is_person = true\nfiles = "responses_')
NOON = "2026-11-{}T12:00"
MET = ["K1,1101,2026-11-02T10:00,attended,T1", "K2,1101,2026-11-09T10:00,attended,T1"]
SAID = {  # anna gives 36 twice; ben gives 12, then 8
    "KR1": ("2026-11-02T10:50", 9, "anna"),
    "KR2": ("2026-11-02T10:51", 3, "ben"),
    "KR3": ("2026-11-09T10:50", 9, "anna"),
    "KR4": ("2026-11-09T10:51", 2, "ben"),
}
ALLIANCE = """
    SELECT session_number, rater_number, score, change FROM alliance WHERE scale = 'total' ORDER BY ALL"""
EARLIER = "COLUMNS(name -> name NOT IN ('rater_number', 'other_rater_number'))"
BOTH = [(1, 1, 36.0, None), (1, 2, 12.0, None), (2, 1, 36.0, 0.0), (2, 2, 8.0, -4.0)]


def deliver(place: Place, day: int = 20) -> None:
    answers = [
        f"{each},1101,srs,client,{when},{item},{value},{who}"
        for each, (when, value, who) in SAID.items()
        for item in (1, 2, 3, 4)
    ]
    place.deliver(f"appointments_2026-11-{day}.csv", APPOINTMENTS, MET)
    place.deliver(f"responses_2026-11-{day}.csv", f"{RESPONSES},rater_id", answers)


@pytest.fixture
def couple(tmp_path) -> Place:
    place = open_place(tmp_path / "couple", PEOPLE)
    deliver(place)
    return place


def test_a_couples_second_partner_whose_ratings_fall_has_his_alliance_his_rupture_and_his_line(couple):
    couple.night(NOON.format(20))
    assert couple.ask(ALLIANCE) == BOTH
    assert {(2,)} == set(couple.ask("SELECT rater_number FROM ruptures WHERE rupture_rule <> 'below_cut_off'"))
    text = (couple.warehouse / "private/worklist.csv").read_text(encoding="utf-8-sig")
    told = [(row["rater_number"], row["what"]) for row in csv.DictReader(io.StringIO(text, newline=""))]
    assert ("2", "alliance fell by its step") in told
    assert "1" not in {number for number, _ in told}


def test_a_couple_is_one_client_of_the_clinics_tables(couple):
    couple.night(NOON.format(20))
    asked = "SELECT dyad_count, client_count, grand_mean FROM alliance_grand_means WHERE scale = 'total'"
    assert couple.ask(asked) == [(1, 1, 36.0)]
    assert couple.ask("SELECT rater_number, rating_count, counted_rater_number FROM other_raters") == [(2, 2, 1)]
    assert couple.ask("SELECT count(*), count(DISTINCT client_id) FROM clients") == [(1, 1)]


def test_the_two_are_told_apart_from_the_night_on_that_says_so_without_another_reading(tmp_path, short_nights):
    place = open_place(tmp_path / "couple", CLINIC)
    deliver(place)
    place.night(NOON.format(20))
    assert place.ask(ALLIANCE) == [(1, 1, 36.0, None), (2, 1, 36.0, 0.0)]
    place.clinic.write_text(PEOPLE, encoding="utf-8")
    done = place.night(NOON.format(21))
    assert place.ask(ALLIANCE) == BOTH
    assert done.intake.found.deliveries == ()
    other = place.twin()
    other.night(NOON.format(21))
    assert differences(place.published, other.published, ("main",)) == {}


def forgotten(place: Place, who: str, since: date | None = None):
    order = place_change(place.clinic, place.warehouse)
    person = find_rater(order, "clinic", who, since)
    return forget(order, person), list(still_holding(order, place.exports, person))


def rater_ids(place: Place) -> list[set[str]]:
    """The raters of every kept file, by how many ratings each has."""
    found = []
    for version in kept_versions(Folders(place.warehouse).published):
        with open_published(version) as con:
            listed = con.sql("SELECT count(*) FROM history.responses GROUP BY rater_id").fetchall()
            found.append((sorted(listed), con.sql("SELECT count(DISTINCT response_id) FROM scores").fetchall()))
    return found


def test_a_partner_who_is_taken_out_is_in_no_kept_file_and_does_not_come_back_and_the_other_stays(
    tmp_path, short_nights
):
    place = open_place(tmp_path / "couple", PEOPLE)
    deliver(place)
    place.night(NOON.format(20))
    deliver(place, 21)
    place.night(NOON.format(21))
    done, holding = forgotten(place, "ben")
    assert (done.erased_rows, holding) == (2, ["responses_2026-11-20.csv", "responses_2026-11-21.csv"])
    alone = [(1, 1, 36.0, None), (2, 1, 36.0, 0.0)]
    assert place.ask(ALLIANCE) == alone
    assert [counts for counts, _ in rater_ids(place)] == [[(2,)]] * 3
    with duckdb.connect(str(kept_versions(Folders(place.warehouse).published)[0]), read_only=True) as con:
        assert con.sql("SELECT count(*) FROM alliance").fetchall() == [(0,)]
    deliver(place, 23)
    place.night(NOON.format(23))
    assert place.ask(ALLIANCE) == alone
    assert place.ask("SELECT count(*) FROM sessions") == [(2,)]


def test_a_partner_may_withdraw_a_consent_from_a_day_on(tmp_path, short_nights):
    place = open_place(tmp_path / "couple", PEOPLE)
    deliver(place)
    place.night(NOON.format(20))
    forgotten(place, "ben", date(2026, 11, 5))
    assert place.ask(ALLIANCE) == [each for each in BOTH if each[:2] != (2, 2)]


def test_a_rater_whom_nobody_knows_is_refused(tmp_path, short_nights):
    place = open_place(tmp_path / "couple", PEOPLE)
    deliver(place)
    place.night(NOON.format(20))
    with pytest.raises(NobodyKnown, match="no response of a rater with this id is known"):
        forgotten(place, "carl")
    assert place.ask(ALLIANCE) == BOTH


def test_an_upgraded_warehouse_keeps_its_rows_as_number_1_and_they_differ_in_the_new_columns_only(tmp_path):
    place = open_place(tmp_path / "clinic", CLINIC)
    for day in (16, 18):
        place.deliver_day(day)
        place.night(NOON.format(day + 1))
    before = place.copied_to(tmp_path / "before").published
    numbered = [each for each in transforms.tables() if {"rater_number", "other_rater_number"} & {*each.column_names}]
    with duckdb.connect(str(writable(place.published.resolve()))) as con:
        con.execute("DROP TABLE main.other_raters")
        for each in numbered:
            if each.name != "other_raters":
                con.execute(f"CREATE OR REPLACE TABLE main.{each.name} AS SELECT {EARLIER} FROM main.{each.name}")
        con.execute("UPDATE load.definitions SET fingerprint = 'an earlier one' WHERE kind = 'table'")
        assert with_other_columns(con, transforms.tables())
    place.night(NOON.format(20))
    assert place.ask("SELECT count(*) > 0, min(rater_number), max(rater_number) FROM responses") == [(True, 1, 1)]
    of_clients = {f"main.{each.name}" for each in transforms.tables() if each.per == "client"}
    assert of_clients & differences(before, place.published, ("main",)).keys() == set()

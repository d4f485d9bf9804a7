"""A cast that changes an id's text is an alias: nobody becomes somebody else, no record is two, nobody comes back.

The warehouses are as versions before the cast made them: ids were stripped, and nothing else.
"""

from contextlib import ExitStack
from unittest.mock import patch

import polars as pl
import pytest

from rapport.flows.ops import forget, restore
from rapport.flows.pages.draw import Drawn
from rapport.flows.private.crosswalk import read_crosswalk
from rapport.flows.private.key import read_key
from rapport.flows.steps.check import Checked
from rapport.transforms.aliases import NO_ALIASES, Aliases
from rapport.transforms.pseudonyms import Pseudonyms
from rapport.warehouse.clinic_file.identifiers import Identified
from rapport.warehouse.places.folders import Folders
from rapport.warehouse.store.building_file import open_file
from tests.clinics.few_tables import few_tables
from tests.clinics.nights import APPOINTMENTS, Place, but_for_finished_tables, open_place, writable

NOON = "2026-11-{}T12:00"
CLINIC = """\
time_zone = "America/Chicago"
licences = ["srs"]
quarantine_limit = 0.9
{top}
[sources.appointments]
files = "appointments_%Y-%m-%d.csv"
id_space = "practice"
{booked}

[sources.phq]
format = "wide"
files = "phq_%Y-%m-%d.csv"
id_space = "practice"
client_id = "user"
completed_at = "when"
instrument = "srs"
rater = "client"
rater_id = "by"
appointment_id = "slot"
items = ["a", "b", "c", "d"]
{answered}
"""
JANE, JANE_BEFORE = "Jane Smith", "Jane\u00a0Smith"
JOSE, JOSE_BEFORE = "José", "Jose\u0301"


def write_clinic(place: Place, booked: str = "", answered: str = "", top: str = "") -> None:
    place.clinic.write_text(CLINIC.format(booked=booked, answered=answered, top=top), encoding="utf-8")


def booked(slot: str, client: str, day: int, hour: int = 10, therapist: str = "7.0") -> str:
    return f"{slot},{client},2026-11-{day:02d}T{hour}:00,attended,{therapist}"


def answered(user: str, day: int, slot: str = "", hour: int = 10) -> str:
    return f"{user},2026-11-{day:02d} {hour}:50,3.0,{slot},9,9,9,{day % 10}"


def deliver(place: Place, day: int, slots: list[str], answers: list[str]) -> None:
    place.deliver(f"appointments_2026-11-{day}.csv", APPOINTMENTS, slots)
    place.deliver(f"phq_2026-11-{day}.csv", "user,when,by,slot,a,b,c,d", answers)


def without_exports(place: Place) -> None:
    for path in place.exports.iterdir():
        path.unlink()


def stripped(texts: pl.Series, *_: object, **__: object) -> Identified:
    """The cast of versions before."""
    return Identified(texts.str.strip_chars().replace("", None))


@pytest.fixture(scope="module", autouse=True)
def short_nights():
    left_out = {
        "rapport.flows.ops.forget.check_tables": Checked(),
        "rapport.flows.ops.restore.check_tables": Checked(),
        "rapport.flows.ops.publish_load.draw": Drawn(),
    }
    with few_tables(), ExitStack() as stack:
        for name, made in left_out.items():
            stack.enter_context(patch(name, lambda *_, made=made: made))
        yield


def night(place: Place, day: int) -> object:
    return place.night(NOON.format(day), but_for_finished_tables)


def taken_out(place: Place, number: str) -> int:
    given = ["--exports", str(place.exports), "--clinic", str(place.clinic), "--warehouse", str(place.warehouse)]
    return forget.main([*given, "--space", "practice", "--client", number])


def old_night(place: Place, day: int, *erased: str) -> None:
    """A night, and erasures, as versions before the cast made them."""
    with ExitStack() as before:
        before.enter_context(patch("rapport.transforms.sources.canonical.ids.identified", stripped))
        before.enter_context(patch("rapport.flows.steps.begin.aliases_of", lambda *_: NO_ALIASES))
        before.enter_context(patch("rapport.flows.steps.begin.held_by_every_text", lambda *given: given[-1]))
        before.enter_context(patch("rapport.flows.ops.forget.aliases_of", lambda *_: NO_ALIASES))
        before.enter_context(patch("rapport.flows.ops.forget.number_known_as", lambda *given: given[-1]))
        night(place, day)
        for number in erased:
            assert taken_out(place, number) == 0
    with open_file(writable(place.published.resolve()), place.folder) as con:
        con.execute("UPDATE load.files SET reading = 'before'; DELETE FROM load.definitions WHERE kind = 'ids'")
        con.execute("UPDATE load.quarantine SET state = 'discarded', settled_by = 1 WHERE state = 'waiting'")


OLD_SLOTS = [
    booked("9001.0", "137", 9),
    booked("9002.0", "138.0", 9, 11),
    booked("A3", JANE_BEFORE, 9, 12),
    booked("A\u20604", JOSE_BEFORE, 9, 13),
    booked("A5", "139.0", 9, 14),
    booked("A6", "140.0", 9, 15),
    "9007.0,138.0,,attended,7.0",  # held: it has no time
]
OLD_ANSWERS = [answered("137.0", 9), answered(JANE, 9, "A3", 12), answered(JOSE_BEFORE, 9, "A\u20604", 13)]


@pytest.fixture(scope="module")
def made_before(tmp_path_factory) -> Place:
    """139.0 and 140.0 were taken out; of 9007.0 it was decided that it will not be mended."""
    place = open_place(tmp_path_factory.mktemp("aliases") / "clinic")
    write_clinic(place)
    deliver(place, 10, OLD_SLOTS, OLD_ANSWERS)
    old_night(place, 10, "139.0", "140.0")
    return place


@pytest.fixture
def place(made_before, tmp_path) -> Place:
    return made_before.copied_to(tmp_path / "clinic")


def pseudonym(place: Place, number: str) -> str:
    """As versions before the cast made it."""
    names = Pseudonyms(read_key(Folders(place.warehouse)))
    return names.as_written("practice", number).hex()


def known_as(place: Place) -> dict[str, str]:
    people = read_crosswalk(Folders(place.warehouse).crosswalk).filter(kind="client")
    return dict(people.select("number", "pseudonym").iter_rows())


def sessions_of(place: Place) -> dict[str, int]:
    """Sessions of each person, by pseudonym."""
    found = place.ask("SELECT replace(client_id::VARCHAR, '-', ''), count(*) FROM sessions GROUP BY ALL")
    return dict(found)


def current(place: Place, kind: str) -> int:
    return place.ask(f"SELECT count(*) FROM history.{kind} WHERE known_to IS NULL")[0][0]


def test_the_old_warehouse_has_two_people_of_one_number_and_no_response_meets_a_session(place):
    assert place.ask("SELECT count(*) FROM clients") == [(6,)]
    assert place.ask("SELECT count(*) FROM responses JOIN sessions USING (session_id)") == [(1,)]
    assert place.ask("SELECT state FROM load.quarantine") == [("discarded",)]


@pytest.fixture(params=["there", "gone"])
def upgraded(request, place) -> Place:
    """The next night, with the old exports there or gone. What comes now writes each id in another way."""
    if request.param == "gone":
        without_exports(place)
    slots = [
        booked("9011", "137", 11, therapist="7"),
        booked("9012", "138", 11, 11, therapist="7"),
        booked("A13", JANE, 11, 12, therapist="7"),
        booked("A14", JOSE, 11, 13, therapist="7"),
        booked("A15", "139", 11, 14),
        booked("A16", "140.0", 11, 15),
        booked("9001.0", "137", 9, therapist="7"),
        booked("A\u20604", JOSE, 9, 13, therapist="7"),
    ]
    answers = [
        answered("137", 11),
        answered(JANE, 11, "A13", 12),
        answered("137.0", 9),
        answered(JOSE, 9, "A\u20604", 13),
    ]
    deliver(place, 12, slots, answers)
    night(place, 12)
    return place


def test_each_person_keeps_the_pseudonym_under_which_the_number_was_first_known(upgraded):
    first = {number: pseudonym(upgraded, text) for number, text in {
        "137": "137", "138": "138.0", JOSE: JOSE_BEFORE}.items()}  # fmt: skip
    known = known_as(upgraded)
    assert {number: known[number] for number in first} == first
    assert known[JANE] in (pseudonym(upgraded, JANE), pseudonym(upgraded, JANE_BEFORE))
    assert known["137.0"] == known["137"] and known[JANE_BEFORE] == known[JANE]
    assert sessions_of(upgraded) == {known[number]: 2 for number in ("137", "138", JANE, JOSE)}


def test_no_record_is_known_twice_and_a_response_meets_its_session(upgraded):
    assert current(upgraded, "appointments") == 8
    assert upgraded.ask("SELECT count(DISTINCT appointment_id) FROM appointments") == [(8,)]
    met = upgraded.ask("SELECT count(*), count(session_id) FROM responses")
    assert met == [(5, 5)]
    assert upgraded.ask("SELECT count(DISTINCT rater_id) FROM responses") == [(1,)]
    assert upgraded.ask("SELECT count(DISTINCT therapist_id) FROM appointments") == [(1,)]


def test_two_known_people_who_become_one_are_a_join_in_the_books_and_nobody_else_is(upgraded):
    joined = upgraded.ask("SELECT replace(own_id::VARCHAR, '-', ''), withdrawn_by FROM load.client_links")
    people = {pseudonym(upgraded, text) for text in ("137", "137.0", JANE, JANE_BEFORE)}
    assert len(joined) == 2 and {own for own, _ in joined} < people and not any(gone for _, gone in joined)


def test_who_was_taken_out_by_one_text_of_a_number_stays_out_by_every_other(upgraded):
    assert not {"139", "139.0", "140", "140.0"} & known_as(upgraded).keys()
    assert upgraded.ask("SELECT count(*) FROM clients") == [(4,)]


def test_a_decision_of_the_inbox_holds_for_the_record(place):
    deliver(place, 12, OLD_SLOTS, OLD_ANSWERS)
    night(place, 12)
    states = place.ask("SELECT state, count(*) FROM load.quarantine GROUP BY ALL")
    assert states == [("discarded", 2)], "the record of the new file too"
    assert place.ask("SELECT count(DISTINCT record_id) FROM load.quarantine") == [(1,)]


def test_the_nights_after_change_nothing_and_a_person_is_forgotten_by_any_text(upgraded):
    before = sessions_of(upgraded)
    deliver(upgraded, 13, [booked("9021", "137.0", 12), booked("9022", JANE_BEFORE, 12, 12)], [answered("138.0", 11)])
    night(upgraded, 13)
    known = known_as(upgraded)
    assert sessions_of(upgraded) == before | {known["137"]: 3, known[JANE]: 3}
    assert upgraded.ask("SELECT count(*) FROM load.client_links") == [(2,)]
    assert taken_out(upgraded, "137.0") == 0
    assert not {"137", "137.0"} & known_as(upgraded).keys()
    deliver(upgraded, 14, [booked("9031", "137", 13), booked("9032", "137.0", 13, 11)], [answered("137\u200b", 13)])
    night(upgraded, 14)
    assert sessions_of(upgraded) == {person: count for person, count in before.items() if person != known["137"]} | {
        known[JANE]: 3
    }
    for version in (upgraded.warehouse / "analysts/versions").glob("*/rapport.duckdb"):
        with open_file(writable(version), upgraded.folder) as con:
            ids = "', '".join(pseudonym(upgraded, text) for text in ("137", "137.0"))
            assert con.sql(f"SELECT count(*) FROM history.appointments WHERE client_id IN ('{ids}')").fetchone() == (0,)


def test_who_was_taken_out_by_half_is_taken_out_by_every_text(tmp_path):
    """An earlier version took out 137, and 137.0 of the same space was another person to it."""
    place = open_place(tmp_path / "clinic")
    write_clinic(place)
    deliver(place, 10, [booked("A1", "137", 9), booked("A2", "138", 9, 11)], [answered("137.0", 9), answered("138", 9)])
    old_night(place, 10, "137")
    assert place.ask("SELECT count(*) FROM responses") == [(2,)]
    deliver(place, 12, [booked("A3", "138", 11)], [answered("138", 11)])
    night(place, 12)
    assert known_as(place).keys() == {"138"}
    assert place.ask("SELECT count(*) FROM responses") == [(2,)]


def test_a_published_load_of_before_that_is_restored_joins_them_again(upgraded):
    common = ["--clinic", str(upgraded.clinic), "--warehouse", str(upgraded.warehouse)]
    assert restore.main([*common, "--version", "1"]) == 0
    known = known_as(upgraded)
    assert known["137"] == known["137.0"] == pseudonym(upgraded, "137")
    assert sessions_of(upgraded).keys() == {
        known[number] for number in ("137", "138", JANE, JOSE) if number in known
    } | {known[text] for text in ("138.0", JOSE_BEFORE)}
    assert not {"139", "139.0"} & known.keys()


# What a section says of its numbers


@pytest.mark.parametrize("booked_too", [True, False], ids=["both sections say it", "one of two says it"])
def test_zeros_that_a_section_says_are_lost_join_only_numbers_that_no_other_section_has(tmp_path, booked_too):
    place = open_place(tmp_path / "clinic")
    write_clinic(place)
    slots = [booked("A1", "00137", 9), booked("A2", "138", 9, 11), booked("A3", "00138", 9, 12)]
    deliver(place, 10, slots, [answered("137", 9), answered("138", 9, hour=11)])
    night(place, 10)
    assert place.ask("SELECT count(*) FROM clients") == [(4,)]
    pad = "id_zero_pad = 5"
    write_clinic(place, answered=pad, booked=pad if booked_too else "")
    without_exports(place)
    deliver(place, 12, slots[:1], [answered("137", 11)])
    night(place, 12)
    known = known_as(place)
    assert known["137"] == known["00137"]
    assert (known["138"] == known["00138"]) is booked_too, "what one section says is said of no other's numbers"
    assert place.ask(
        "SELECT count(*) FROM responses r JOIN sessions s USING (client_id) WHERE r.session_id = s.session_id"
    )


def test_a_text_of_which_something_is_known_first_is_the_persons(tmp_path):
    names = Aliases({("s", "client"): {"137.0": "137"}}, {("s", "client"): {"137": "137.0"}})
    made = Pseudonyms(b"k" * 32, aliases=names)
    assert made.one("s", "client", "137") == made.one("s", "client", "137.0") == made.alone("s", "137")
    assert made.one("s", "client", "137") == Pseudonyms(b"k" * 32).one("s", "client", "137.0")
    assert made.one("s", "therapist", "137") != made.one("s", "therapist", "137.0")
    assert made.one("other", "client", "137") != made.one("other", "client", "137.0")
    assert names.mark != NO_ALIASES.mark


def test_numbers_that_were_joined_stay_one_where_the_section_says_no_more_that_zeros_are_lost(tmp_path):
    """What was read of both since cannot be told apart; nothing moves back, and nobody is parted by half."""
    place = open_place(tmp_path / "clinic")
    write_clinic(place)
    deliver(place, 10, [booked("A1", "00137", 9)], [answered("137", 9)])
    night(place, 10)
    write_clinic(place, answered="id_zero_pad = 5")
    deliver(place, 12, [booked("A2", "00137", 11)], [answered("137", 11)])
    night(place, 12)
    joined = known_as(place)["00137"]
    write_clinic(place)
    deliver(place, 13, [booked("A3", "00137", 12)], [answered("137", 12)])
    night(place, 13)
    assert set(known_as(place).values()) == {joined}
    assert sessions_of(place) == {joined: 3}
    assert place.ask("SELECT count(*), count(session_id) FROM responses") == [(3, 3)]
    assert place.ask("SELECT is_another_text, withdrawn_by FROM load.client_links") == [(True, None)]


def test_a_number_that_is_known_in_another_space_is_looked_up_in_its_own(tmp_path):
    place = open_place(tmp_path / "clinic")
    other = '[sources.other]\nrecords = "appointments"\nfiles = "other_%Y-%m-%d.csv"\nid_space = "other"\n'
    write_clinic(place, answered=other)
    place.deliver("other_2026-11-10.csv", APPOINTMENTS, [booked("B1", "139", 9)])
    deliver(place, 10, [booked("A1", "139.0", 9), booked("A2", "138", 9)], [])
    old_night(place, 10, "139.0")
    without_exports(place)
    deliver(place, 12, [booked("A3", "139", 11), booked("A4", "138", 11)], [])
    night(place, 12)
    assert place.ask("SELECT count(*), count(DISTINCT client_id) FROM appointments WHERE source = 'appointments'") == [
        (2, 1)
    ]
    assert place.ask("SELECT count(*) FROM appointments WHERE source = 'other'") == [(1,)]


def test_an_erasure_by_a_text_that_nobody_can_guess_is_found_in_tonights_file_and_holds_from_then_on(tmp_path):
    place = open_place(tmp_path / "clinic")
    write_clinic(place)
    hidden = "13\u200b7"
    deliver(place, 10, [booked("A1", hidden, 9), booked("A2", "138", 9)], [])
    old_night(place, 10, hidden)
    for day, number in ((12, hidden), (13, "137")):
        deliver(place, day, [booked(f"A{day}", number, day - 1), booked(f"B{day}", "138", day - 1)], [])
        night(place, day)
        assert known_as(place).keys() == {"138"}


def test_a_link_may_be_written_in_any_way_and_holds_for_every_text_of_its_numbers(place):
    (place.folder / "links.csv").write_text(
        f"space,id,space,id\npractice,137.0,other,{JANE_BEFORE}\n", encoding="utf-8"
    )
    other = '[sources.other]\nrecords = "appointments"\nfiles = "other_%Y-%m-%d.csv"\nid_space = "other"\n'
    write_clinic(place, top='client_links = "links.csv"', answered=other)
    place.deliver("other_2026-11-12.csv", APPOINTMENTS, [booked("B1", JANE, 11)])
    deliver(place, 12, [booked("A19", "137", 11)], [answered("137", 11)])
    night(place, 12)
    people = read_crosswalk(Folders(place.warehouse).crosswalk).filter(kind="client")
    joined = people.filter(pl.col("number").is_in(["137", "137.0"]) | (pl.col("id_space") == "other"))
    assert joined["pseudonym"].n_unique() == 1 and joined.height == 3
    assert sessions_of(place)[joined["pseudonym"][0]] == 3
    assert taken_out(place, "137") == 0
    assert place.ask("SELECT count(*) FROM appointments WHERE source = 'other'") == [(0,)]

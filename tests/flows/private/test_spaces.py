"""Id spaces: none is given up, renamed or moved in silence, and who was taken out stays out."""

from contextlib import ExitStack
from datetime import date
from itertools import pairwise
from types import SimpleNamespace
from unittest.mock import patch
from uuid import UUID, uuid4

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.flows.ops import erasure_requests, forget, restore
from rapport.flows.order import place_change
from rapport.flows.pages.draw import Drawn
from rapport.flows.private.crosswalk import read_crosswalk
from rapport.flows.private.erasure import begin_erasure
from rapport.flows.private.kept_out import list_half_taken_out
from rapport.flows.private.key import read_key
from rapport.flows.private.tombstones import read_tombstones, set_tombstones
from rapport.flows.steps.check import Checked
from rapport.flows.steps.settle_spaces import former_spaces, same_spaces
from rapport.transforms.pseudonyms import FORMER_IDS, Pseudonyms
from rapport.warehouse.clinic_file.id_spaces import Spaces
from rapport.warehouse.clinic_file.spaces_section import read_spaces
from rapport.warehouse.history import former_ids
from rapport.warehouse.history.erased_days import ErasedDays
from rapport.warehouse.intake.space_book import Used
from rapport.warehouse.places.folders import Folders
from rapport.warehouse.store.building_file import open_building, open_file
from tests.clinics.few_tables import few_tables
from tests.clinics.nights import APPOINTMENTS, Place, but_for_finished_tables, held, open_place, writable

NOON = "2026-11-{}T12:00"
CLINIC = """\
time_zone = "America/Chicago"
licences = ["srs"]
{top}
[sources.appointments]
files = "appointments_%Y-%m-%d.csv"
id_space = "{practice}"

[sources.phq]
format = "wide"
files = "phq_%Y-%m-%d.csv"
id_space = "{phq}"
stands_alone = true
client_id = "user"
completed_at = "when"
instrument = "srs"
rater = "client"
items = ["a", "b", "c", "d"]

[spaces]
{lines}
"""


def write_clinic(place: Place, practice: str = "practice", phq: str = "phq", lines: str = "", top: str = "") -> None:
    place.clinic.write_text(CLINIC.format(practice=practice, phq=phq, lines=lines, top=top))


def answer(user: str, day: int) -> str:
    return f"{user},2026-11-{day} 18:55,9,9,9,{day % 10}"


def deliver(place: Place, day: int, *users: str, clients: tuple[int, ...] = (1, 2)) -> None:
    """The exports of the morning after a day: what was held on it, and who answered."""
    place.deliver(f"appointments_2026-11-{day + 1}.csv", APPOINTMENTS, [held(each, day) for each in clients])
    place.deliver(f"phq_2026-11-{day + 1}.csv", "user,when,a,b,c,d", [answer(user, day) for user in users])


def without_exports(place: Place) -> None:
    for path in place.exports.iterdir():
        path.unlink()


@pytest.fixture(scope="module", autouse=True)
def short_nights():
    left_out = {
        "rapport.flows.ops.forget.check_tables": Checked(),
        "rapport.flows.ops.restore.check_tables": Checked(),
        "rapport.flows.ops.publish_load.draw": Drawn(),
    }
    with few_tables(), patch("rapport.expectations.records.record_rules", lambda *_: []), ExitStack() as stack:
        for name, made in left_out.items():
            stack.enter_context(patch(name, lambda *_, made=made: made))
        yield


@pytest.fixture
def night(run_night_here, monkeypatch):
    """A night's command, without the last checks and the pages: its exit status, and what it says."""
    from rapport.flows import nightly  # noqa: PLC0415  importing Prefect is not free

    monkeypatch.setattr(nightly, "as_tasks", lambda clinic: but_for_finished_tables)

    def run(place: Place, day: int, *more: str) -> tuple[int, str]:
        done = run_night_here(place, NOON.format(day), *more)
        return done.returncode, " ".join((done.stdout + done.stderr).split())

    return run


@pytest.fixture(scope="module")
def two_systems(tmp_path_factory) -> Place:
    """A published night: clients C1 and C2 of the practice, and C1 and P9 of the questionnaires' own space."""
    place = open_place(tmp_path_factory.mktemp("spaces") / "clinic")
    write_clinic(place)
    deliver(place, 10, "C1", "P9")
    place.night(NOON.format(11), but_for_finished_tables)
    return place


@pytest.fixture
def place(two_systems, tmp_path) -> Place:
    return two_systems.copied_to(tmp_path / "clinic")


@pytest.fixture(scope="module")
def two_without_one(two_systems, tmp_path_factory) -> dict[str, Place]:
    """The same after a person was taken out of one of the spaces."""
    made = {}
    for space, number in TAKEN_OUT:
        made[space, number] = two_systems.copied_to(tmp_path_factory.mktemp("without") / "clinic")
        assert taken_out(made[space, number], space, number) == 0
    return made


@pytest.fixture
def without_client(two_without_one, tmp_path) -> Place:
    return two_without_one["practice", "C1"].copied_to(tmp_path / "clinic")


@pytest.fixture
def without_user(two_without_one, tmp_path) -> Place:
    return two_without_one["phq", "P9"].copied_to(tmp_path / "clinic")


TAKEN_OUT = (("practice", "C1"), ("phq", "P9"), ("phq", "C1"))


def taken_out(place: Place, space: str, number: str) -> int:
    given = ["--exports", str(place.exports), "--clinic", str(place.clinic), "--warehouse", str(place.warehouse)]
    return forget.main([*given, "--space", space, "--client", number])


def people(place: Place) -> list[tuple]:
    """How many clients have appointments, and how many have answers."""
    known = "(SELECT count(DISTINCT client_id) FROM history.{} WHERE known_to IS NULL)"
    return place.ask(f"SELECT {known.format('appointments')}, {known.format('responses')}, count(*) FROM clients")[0]


def book(place: Place) -> list[tuple]:
    return place.ask("SELECT source, id_space, first_name, load_id, left_by FROM load.spaces ORDER BY ALL")


def test_the_books_say_under_which_space_each_source_was_read(place):
    assert book(place) == [
        ("appointments", "practice", "practice", 1, None),
        ("phq", "phq", "phq", 1, None),
    ]


# A new name


def test_an_erased_person_stays_erased_when_the_space_gets_another_name(without_client, night):
    place = without_client
    assert people(place) == (1, 2, 3)
    write_clinic(place, practice="praxis")
    status, said = night(place, 12)
    assert status == 2
    assert "no section of clinic.toml has the id space 'practice' any more" in said
    assert "Write in [spaces] praxis = { was = \"practice\" } if 'praxis' is its new name" in said
    assert 'retired_spaces = ["practice"]' in said
    assert place.ask("SELECT max(load_id) FROM load.loads") == [(2,)]
    write_clinic(place, practice="praxis", lines='praxis = { was = "practice" }')
    assert night(place, 12)[0] == 0
    assert people(place) == (1, 2, 3)
    assert place.ask("SELECT count(*) FROM load.files WHERE load_id = 3") == [(0,)], "a name reads no file again"
    deliver(place, 12, "C1", clients=(1, 2))
    assert night(place, 13)[0] == 0
    assert people(place) == (1, 2, 3)
    assert book(place)[0] == ("appointments", "praxis", "practice", 1, None)


def test_people_whose_old_exports_are_gone_stay_one_when_the_space_gets_another_name(place, night):
    without_exports(place)
    write_clinic(place, practice="praxis", lines='praxis = { was = "practice" }')
    deliver(place, 12, "C1", "P9")
    assert night(place, 13)[0] == 0
    assert people(place) == (2, 2, 4)
    assert place.ask("SELECT count(*) FROM sessions GROUP BY client_id ORDER BY 1") == [(2,), (2,)]


def test_a_person_is_found_by_the_old_and_the_new_name(place):
    write_clinic(place, practice="praxis", lines='praxis = { was = "practice" }')
    assert taken_out(place, "practice", "C1") == taken_out(place, "praxis", "C2") == 0
    assert people(place) == (0, 2, 2)


def test_links_hold_when_the_space_gets_another_name(place, night):
    (place.folder / "links.csv").write_text("space,id,space,id\npractice,C2,phq,P9\n")
    write_clinic(place, top='client_links = "links.csv"')
    assert night(place, 12)[0] == 0
    assert people(place) == (2, 2, 3)
    write_clinic(place, practice="praxis", lines='praxis = { was = "practice" }', top='client_links = "links.csv"')
    deliver(place, 12, "C1", "P9")
    assert night(place, 13)[0] == 0
    assert people(place) == (2, 2, 3)
    assert place.ask("SELECT load_id, id_space, withdrawn_by FROM load.client_links") == [(2, "phq", None)]


def test_a_second_new_name_holds_too_and_none_is_forgotten(place, night):
    write_clinic(place, practice="praxis", lines='praxis = { was = "practice" }')
    deliver(place, 12, "C1")
    assert night(place, 13)[0] == 0
    write_clinic(place, practice="praxis")
    status, said = night(place, 14)
    assert status == 2
    assert 'clinic.toml says so no more; write in [spaces]: praxis = { was = "practice" }' in said
    write_clinic(place, practice="surgery", lines='praxis = { was = "practice" }\nsurgery = { was = "praxis" }')
    deliver(place, 14, "C1")
    assert night(place, 15)[0] == 0
    assert people(place) == (2, 2, 4)


# A space that is given up


def test_a_space_that_no_section_has_is_refused_until_it_is_retired_and_its_people_stay(without_user, night):
    place = without_user
    without = CLINIC.format(practice="practice", phq="", lines="", top="{top}")
    without = without[: without.index("[sources.phq]")]
    place.clinic.write_text(without.format(top=""))
    for _ in range(2):
        status, said = night(place, 12)
        assert status == 2
        assert "the id space 'phq' any more, which has 1 clients" in said
    place.clinic.write_text(without.format(top='retired_spaces = ["phq"]'))
    assert night(place, 12)[0] == 0
    assert people(place) == (2, 1, 3)
    order = place_change(place.clinic, place.warehouse)
    (told,) = forget.still_holding(order, place.exports, forget.find_person(order, "phq", "C1", None))
    assert told == "the exports of 'phq' (not looked into: the id space is retired in clinic.toml)"
    write_clinic(place)
    deliver(place, 12, "C1", "P9")
    assert night(place, 13)[0] == 0, "it comes back: whoever was taken out does not"
    assert people(place) == (2, 1, 3)


def test_whoever_was_taken_out_stays_out_when_their_source_has_a_new_space_until_its_numbers_are_new(
    without_user, night
):
    place = without_user
    write_clinic(place, phq="portal", top='retired_spaces = ["phq"]')
    deliver(place, 12, "C1", "P9")
    status, said = night(place, 13)
    assert status == 0
    assert "1 numbers of the source phq were taken out under an id space that it had before, so what" in said
    assert place.ask("SELECT count(*) FROM responses WHERE source = 'phq' AND completed_at > '2026-11-12'") == [(1,)]
    found = forget.find_person(place_change(place.clinic, place.warehouse), "portal", "C1", None)
    assert forget.elsewhere_sentence(found).startswith("The number is known in the id space 'phq' too, which a source")
    write_clinic(place, phq="portal", top='retired_spaces = ["phq"]', lines="portal = { new_numbers = true }")
    assert not forget.find_person(place_change(place.clinic, place.warehouse), "portal", "C1", None).known_elsewhere
    status, said = night(place, 14)
    assert (status, "stays out" in said) == (0, False)
    assert place.ask("SELECT count(*) FROM responses WHERE source = 'phq' AND completed_at > '2026-11-12'") == [(2,)]


# A source that gets the space of another


def test_a_source_may_get_a_space_in_use_check_counts_the_numbers_that_meet_and_they_join(place, night):
    write_clinic(place, phq="practice")
    status, said = night(place, 12, "--check")
    assert status == 2
    assert "Write in [spaces] phq = { same_as = \"practice\" } if its numbers are those of 'practice'" in said
    assert "(1 of its 2 numbers are known in 'practice' too)" in said
    write_clinic(place, phq="practice", lines='phq = { same_as = "practice" }')
    status, said = night(place, 12, "--check")
    assert status == 0
    assert "1 of the 2 numbers of the id space 'phq' are known in 'practice' too" in said
    assert night(place, 12)[0] == 0
    assert people(place) == (2, 2, 3)
    assert place.ask("SELECT count(*) FROM responses JOIN sessions USING (session_id)") == [(1,)]
    assert place.ask("SELECT count(*) FROM responses") == [(2,)], "each record moves, and is not there twice"
    assert place.ask("SELECT count(*) FROM load.client_links WHERE id_space = 'phq'") == [(2,)]
    assert book(place)[1:] == [("phq", "phq", "phq", 1, 2), ("phq", "practice", "practice", 2, None)]


def test_records_of_old_exports_that_are_gone_move_too(place, night):
    without_exports(place)
    write_clinic(place, phq="practice", lines='phq = { same_as = "practice" }')
    deliver(place, 12, "C2")
    assert night(place, 13)[0] == 0
    assert people(place) == (2, 3, 3)
    assert place.ask("SELECT count(*) FROM responses JOIN sessions USING (session_id)") == [(2,)]


def test_a_space_that_was_retired_first_joins_later(place, night):
    without_exports(place)
    write_clinic(place, phq="practice", top='retired_spaces = ["phq"]')
    deliver(place, 12, "C2")
    status, said = night(place, 13)
    assert status == 0
    assert "he source phq has the id space 'practice' and had 'phq'; records whose exports are gone" in said
    assert "(1 of its 2 numbers are known in 'practice' too); or practice = { new_numbers = true }" in said
    assert people(place) == (2, 3, 4)
    place.deliver("phq_2026-11-14.csv", "user,when,a,b,c,d", [answer("C1", 10), answer("P9", 10)])
    assert night(place, 14)[0] == 0
    assert place.ask("SELECT count(*) FROM responses") == [(5,)], "two of them twice, by two numbers"
    write_clinic(place, phq="practice", lines='phq = { same_as = "practice" }')
    assert night(place, 15)[0] == 0
    assert people(place) == (2, 3, 3)
    assert place.ask("SELECT count(*) FROM responses") == [(3,)]


@pytest.mark.parametrize("space", ["practice", "phq"])
def test_whoever_was_taken_out_by_one_number_is_asked_for_when_it_becomes_the_same_as_another(
    two_without_one, tmp_path, night, space
):
    place = two_without_one[space, "C1"].copied_to(tmp_path / "clinic")
    write_clinic(place, phq="practice", lines='phq = { same_as = "practice" }')
    status, said = night(place, 12)
    assert status == 2
    assert "1 people of the id space" in said and "private/forget_too.csv" in said and "C1" not in said
    listed = place.warehouse / "private/forget_too.csv"
    assert listed.stat().st_mode & 0o777 == 0o600
    listed.rename(place.warehouse / "private/forget.csv")
    given = ["--exports", str(place.exports), "--clinic", str(place.clinic), "--warehouse", str(place.warehouse)]
    assert erasure_requests.main(given) == 0
    deliver(place, 12, "C1", "P9")
    assert night(place, 13)[0] == 0
    assert people(place) == (1, 1, 2)
    assert not listed.exists()


def test_whoever_was_taken_out_of_one_of_two_same_spaces_does_not_come_in_by_the_other(without_user, night):
    place = without_user
    write_clinic(place, phq="practice", lines='phq = { same_as = "practice" }')
    assert night(place, 12)[0] == 0
    rows = [held(1, 12), held(2, 12).replace("C2", "P9")]
    place.deliver("appointments_2026-11-13.csv", APPOINTMENTS, rows)
    assert night(place, 13)[0] == 0
    assert place.ask("SELECT count(*) FROM sessions WHERE starts_at > '2026-11-12'") == [(1,)]


# What is older than the clinic keeps


@pytest.fixture(scope="module")
def without_old(two_systems, tmp_path_factory) -> Place:
    """The same after everything of P9 up to 10 November was taken out, and nothing of P9 is left."""
    place = two_systems.copied_to(tmp_path_factory.mktemp("old") / "clinic")
    expire(place, "phq", "P9", 10)
    place.night(NOON.format(12), but_for_finished_tables)
    assert people(place) == (2, 1, 3)
    return place


def expire(place: Place, space: str, number: str, day: int) -> None:
    folders = Folders(place.warehouse)
    days = ErasedDays(until=date(2026, 11, day), by_load=2)
    begin_erasure(folders, {Pseudonyms(read_key(folders)).alone(space, number): days}, "kept no longer")


def answers_of(place: Place) -> list[tuple]:
    """The days and the last answers of the source phq."""
    asked = (
        "SELECT completed_on::VARCHAR, answers[4]::INTEGER FROM history.responses WHERE known_to IS NULL ORDER BY ALL"
    )
    return place.ask(asked)


OTHERWISE = {
    "of another name": {"phq": "portal", "lines": 'portal = { was = "phq" }'},
    "that is the same": {"phq": "practice", "lines": 'phq = { same_as = "practice" }'},
    "that the source has now": {"phq": "portal", "top": 'retired_spaces = ["phq"]'},
}


@pytest.mark.parametrize("how", OTHERWISE)
def test_what_is_kept_no_longer_stays_out_in_a_space(without_old, tmp_path, night, how):
    """And the person is known from the first later day on, with what has no day."""
    place = without_old.copied_to(tmp_path / "clinic")
    write_clinic(place, **OTHERWISE[how])
    rows = [answer("P9", 10), "P9,,1,1,1,1", answer("C1", 12)]
    place.deliver("phq_2026-11-13.csv", "user,when,a,b,c,d", rows)
    assert night(place, 13)[0] == 0
    assert "P9" not in set(read_crosswalk(Folders(place.warehouse).crosswalk)["number"])
    assert ("2026-11-12", 2) in answers_of(place) and (None, 1) not in answers_of(place)
    place.deliver("phq_2026-11-14.csv", "user,when,a,b,c,d", [*rows, answer("P9", 13)])
    status, said = night(place, 14)
    assert (status, "so what was taken out stays out" in said) == (0, how == "that the source has now")
    assert {(None, 1), ("2026-11-13", 3)} < set(answers_of(place))
    of_day_10 = [day for day, _ in answers_of(place) if day == "2026-11-10"]
    assert of_day_10 == ["2026-11-10"], "that is C1's"
    assert "P9" in set(read_crosswalk(Folders(place.warehouse).crosswalk)["number"])


def test_numbers_that_become_one_person_share_the_days_that_are_kept_no_longer(place, night):
    expire(place, "phq", "C1", 9)
    write_clinic(place, phq="practice", lines='phq = { same_as = "practice" }')
    place.deliver("appointments_2026-11-13.csv", APPOINTMENTS, [held(1, 9), held(2, 9), held(1, 12)])
    assert night(place, 13)[0] == 0
    assert people(place) == (2, 2, 3)
    counts = place.ask("SELECT session_date::VARCHAR, count(*) FROM sessions GROUP BY ALL ORDER BY ALL")
    assert counts == [("2026-11-09", 1), ("2026-11-10", 2), ("2026-11-12", 1)]


def test_numbers_do_not_become_one_person_where_one_has_records_that_are_kept_no_longer_of_the_other(place, night):
    expire(place, "phq", "C1", 10)
    write_clinic(place, phq="practice", lines='phq = { same_as = "practice" }')
    status, said = night(place, 13)
    assert status == 2
    assert "joins a number to another, of which everything up to a day was taken out ([keep] in clinic.toml)" in said
    assert not (place.warehouse / "private/forget_too.csv").exists(), "nobody asked to be forgotten"
    write_clinic(place, phq="practice", top='retired_spaces = ["phq"]')
    assert night(place, 13)[0] == 0
    assert people(place)[0] == 2


def test_what_a_source_brought_under_its_present_space_before_is_kept_as_long_as_that(place, night):
    write_clinic(place, phq="portal", top='retired_spaces = ["phq"]')
    deliver(place, 12, "P9")
    place.deliver("phq_2026-11-13.csv", "user,when,a,b,c,d", [answer("P9", 10), answer("P9", 12)])
    assert night(place, 13)[0] == 0
    expire(place, "phq", "P9", 10)
    place.deliver("phq_2026-11-14.csv", "user,when,a,b,c,d", ["P9,2026-11-10 18:55,9,9,9,5", answer("P9", 12)])
    assert night(place, 14)[0] == 0
    assert ("2026-11-10", 5) in answers_of(place)
    assert len(answers_of(place)) == 3


def test_a_new_name_in_one_section_and_the_old_one_in_another_is_refused(place, night):
    write_clinic(place, phq="practice", lines='phq = { same_as = "practice" }')
    assert night(place, 12)[0] == 0
    write_clinic(place, practice="praxis", phq="practice", lines='phq = { same_as = "practice" }')
    status, said = night(place, 13)
    assert status == 2
    assert "the source appointments has the id space 'praxis', which is new, and other sections have 'practice'" in said
    assert 'write praxis = { was = "practice" }' in said
    write_clinic(place, "praxis", "praxis", 'phq = { same_as = "praxis" }\npraxis = { was = "practice" }')
    assert night(place, 13)[0] == 0
    assert people(place) == (2, 2, 3)


def test_a_section_that_is_named_otherwise_is_asked_whose_numbers_it_has(place, night):
    renamed = CLINIC.replace("[sources.phq]", "[sources.portal]").replace('id_space = "{phq}"\n', "")
    place.clinic.write_text(renamed.format(practice="practice", lines="", top=""))
    status, said = night(place, 12)
    assert status == 2
    assert "Write in [spaces] portal = { was = \"phq\" } if 'portal' is its new name" in said


def test_of_three_spaces_that_are_the_same_each_may_have_been_the_one_that_a_person_was_taken_out_of(tmp_path):
    spaces = Spaces(("practice",), same_as={"phq": "practice", "kiosk": "phq"})
    names, folders = Pseudonyms(b"k" * 32, spaces=spaces), Folders(tmp_path)
    folders.private.mkdir(parents=True)
    set_tombstones(folders, {names.alone("kiosk", "5"): ErasedDays(since=date(2026, 11, 1))})
    known = [("client", "phq", "5"), ("client", "practice", "6"), ("therapist", "practice", "5")]
    bench = SimpleNamespace(
        order=SimpleNamespace(clinic=SimpleNamespace(spaces=spaces, sources=()), folders=folders, is_check=False),
        load=SimpleNamespace(purpose="forget"),
        pseudonyms=names,
        tombstones=read_tombstones(folders),
        crosswalk=pl.DataFrame(known, ["kind", "id_space", "number"], orient="row"),
    )
    list_half_taken_out(bench)
    assert folders.forget_too.read_text() == "space,client,since\nphq,5,2026-11-01\n"


def test_a_record_that_was_known_by_two_ids_has_one_version_that_is_current(tmp_path):
    with open_building(tmp_path / "building.duckdb", tmp_path) as con:
        ids = [uuid4().bytes for _ in range(3)]
        for each in ids[:2]:
            con.execute(
                "INSERT INTO history.episodes BY NAME SELECT 's' AS source, ? AS episode_id", [str(UUID(bytes=each))]
            )
        rows = [(old, ids[2], None) for old in ids[:2]] * 2
        former_ids.stage(con, "s", "episodes", pl.DataFrame(rows, FORMER_IDS, orient="row"))
        former_ids.follow(con, 7)
        known = con.sql("SELECT episode_id, known_to FROM history.episodes ORDER BY known_to").fetchall()
        assert [row[1] for row in known] == [7, None]
        assert known[1][0] == UUID(bytes=ids[2])


# An older file


def test_people_who_were_split_and_brought_back_by_a_new_name_are_found_and_made_one_again(
    without_client, night, monkeypatch
):
    """As versions before the book left them: the space had another name for a night, and nobody asked."""
    place = without_client
    write_clinic(place, practice="praxis")
    without_exports(place)
    deliver(place, 12, "P9")
    with monkeypatch.context() as before:
        before.setattr("rapport.flows.steps.begin.settle_spaces", lambda *_: ())
        assert night(place, 13)[0] == 0
    assert place.ask("SELECT count(DISTINCT client_id) FROM sessions") == [(3,)]
    with open_file(writable(place.published.resolve()), place.folder) as con:
        con.execute("DROP TABLE load.spaces")
    status, said = night(place, 14)
    assert status == 2
    assert "practice = { same_as = \"praxis\" } if its numbers are those of 'praxis' (1 of its 1 numbers" in said
    write_clinic(place, practice="praxis", lines='practice = { same_as = "praxis" }')
    status, said = night(place, 14)
    assert status == 2
    assert "1 people of the id space 'praxis' were taken out" in said
    assert taken_out(place, "praxis", "C1") == 0
    assert night(place, 14)[0] == 0
    assert place.ask("SELECT count(*) FROM sessions GROUP BY client_id") == [(2,)]


def test_a_warehouse_of_before_the_book_knows_its_spaces_from_its_people(without_client, night):
    place = without_client
    with open_file(writable(place.published.resolve()), place.folder) as con:
        con.execute("DROP TABLE load.spaces")
    write_clinic(place, practice="praxis")
    status, said = night(place, 12)
    assert status == 2
    assert "the id space 'practice' any more, which has 1 clients" in said
    write_clinic(place, practice="praxis", lines='praxis = { was = "practice" }')
    deliver(place, 12, "C1")
    assert night(place, 13)[0] == 0
    assert people(place) == (1, 2, 3)
    assert [row[:3] for row in book(place)] == [("appointments", "praxis", "practice"), ("phq", "phq", "phq")]


def test_a_load_that_is_published_again_knows_the_spaces_of_the_loads_since(place, night):
    write_clinic(place, phq="portal", top='retired_spaces = ["phq"]')
    deliver(place, 12, "P9")
    assert night(place, 13)[0] == 0
    common = ["--clinic", str(place.clinic), "--warehouse", str(place.warehouse)]
    assert restore.main([*common, "--version", "1"]) == 0
    write_clinic(place)
    status, said = night(place, 14)
    assert status == 2
    assert "no section of clinic.toml has the id space 'portal' any more" in said


# What clinic.toml may say

USED = ("practice", "portal")


@pytest.mark.parametrize(
    ("section", "retired", "reason"),
    [
        ({"praxis": {"was": "clinic"}}, [], r"\[spaces\] praxis is about an id space that no section has"),
        ({"practise": {"was": "clinic"}}, [], "did you mean 'practice'"),
        ({"practice": {}}, [], r"\[spaces\] practice is empty; add was, same_as, new_numbers"),
        ({"practice": {"wsa": "clinic"}}, [], "unknown key 'wsa'"),
        ({"practice": {"was": 1}}, [], "was"),
        ({"practice": {"was": "portal"}}, [], "two names of one space"),
        ({"practice": {"was": "clinic"}, "clinic": {"was": "practice"}}, [], "leads back to where it began"),
        ({"practice": {"was": "practice"}}, [], "leads back to where it began"),
        ({"phq": {"same_as": "phq"}}, [], "leads back to where it began"),
        ({"phq": {"same_as": "practise"}}, [], "no section has the id space 'practise'"),
        ({"portal": {"same_as": "practice"}}, [], "a section has id_space = 'portal' still"),
        ({"phq": {"same_as": "practice"}}, ["phq"], "retired_spaces names 'phq', which is the same as another space"),
        ({}, ["portal"], "retired_spaces names 'portal', and a section has this id space"),
        ({"portal": {"was": "phq"}}, ["phq"], "retired_spaces names 'phq', and a section has this id space"),
        (
            {"practice": {"was": "clinic"}, "clinic": {"same_as": "portal"}},
            [],
            "a section has id_space = 'practice' still",
        ),
    ],
)
def test_what_contradicts_itself_is_refused_with_the_line(section, retired, reason):
    with pytest.raises(ValueError, match=reason):
        read_spaces(section, retired, USED)


@given(st.lists(st.text("abc", min_size=1), min_size=2, max_size=6, unique=True), st.data())
def test_whatever_a_space_was_called_its_numbers_have_one_pseudonym(names, data):
    section = {name: {"was": before} for before, name in pairwise(names)}
    spaces = read_spaces(section, [], [names[-1]])
    renamed, before = Pseudonyms(b"k" * 32, spaces=spaces), Pseudonyms(b"k" * 32)
    assert {renamed.one(name, "client", "1001") for name in names} == {before.one(names[0], "client", "1001")}
    assert spaces.name_of(names[0]) == names[-1]


def test_only_numbers_of_people_and_their_records_follow_a_space():
    """A source may be called as a space is: its files and lines are known by what they were."""
    same = Pseudonyms(b"k" * 32, spaces=Spaces(("practice",), same_as={"phq": "practice"}))
    alone = Pseudonyms(b"k" * 32)
    assert same.keyed("phq", "file_name", "a.csv") == alone.keyed("phq", "file_name", "a.csv")
    assert same.one("phq", "client", "1") == alone.one("practice", "client", "1") != alone.one("phq", "client", "1")


@pytest.mark.parametrize(
    ("now", "spaces", "former", "same"),
    [
        ("phq", Spaces(("phq",)), [], []),
        ("portal", Spaces(("portal",)), ["phq"], []),
        ("portal", Spaces(("portal",), was={"portal": "phq"}), [], []),
        ("portal", Spaces(("portal",), with_new_numbers=frozenset({"portal"})), [], []),
        ("portal", Spaces(("portal",), same_as={"phq": "portal"}), ["phq"], ["phq"]),
        (
            "portal",
            Spaces(("portal",), same_as={"phq": "portal"}, with_new_numbers=frozenset({"portal"})),
            ["phq"],
            ["phq"],
        ),
        ("lab", Spaces(("portal", "lab"), same_as={"phq": "portal"}), ["phq"], []),
    ],
)
def test_a_source_had_the_spaces_of_the_book_and_shares_the_numbers_of_those_that_are_the_same(
    now, spaces, former, same
):
    source = SimpleNamespace(name="phq", id_space=now)
    clinic = SimpleNamespace(spaces=spaces)
    bench = SimpleNamespace(order=SimpleNamespace(clinic=clinic), spaces_used=[Used("phq", "phq", "phq", 1)])
    assert (former_spaces(bench, source), same_spaces(bench, source)) == (former, same)

"""Two id spaces join only through client_links.csv; every join is in the books, and can be withdrawn."""

from unittest.mock import patch

import pytest

from rapport.flows.ops.forget import find_person, forget, still_holding
from rapport.flows.ops.person import write_report
from rapport.flows.ops.restore import place_restoration, restore
from rapport.flows.order import place_change
from rapport.warehouse.clinic_file.client_links import read_client_links
from rapport.warehouse.clinic_file.id_spaces import Spaces
from rapport.warehouse.errors import Unusable
from tests.clinics.few_tables import few_tables
from tests.clinics.nights import PORTAL_SECTION, but_for_finished_tables, open_place

CLINIC = f"""\
time_zone = "America/Chicago"
licences = ["srs"]
client_links = "links.csv"

[sources.appointments]
files = "appointments_%Y-%m-%d.csv"
id_space = "practice"

[sources.clients]
files = "clients_%Y-%m-%d.csv"
id_space = "practice"

{PORTAL_SECTION}"""
LINK = "practice,1,portal,77\n"


@pytest.fixture(scope="module", autouse=True)
def short_nights():
    with few_tables():
        yield


@pytest.fixture(scope="module")
def unlinked(tmp_path_factory):
    """A night of two systems without a link: clients 1 and 2 here, users 77 and 2 there."""
    place = open_place(tmp_path_factory.mktemp("links") / "clinic", CLINIC)
    (place.folder / "links.csv").write_text("space,id,space,id\n")
    appointments = [f"A{n},{n},2026-11-02T10:00,attended" for n in (1, 2)]
    place.deliver("appointments_2026-11-03.csv", "appointment_id,client_id,starts_at,status", appointments)
    place.deliver("clients_2026-11-03.csv", "client_id,birth_date,sex", ["1,2000-01-01,female", "2,2000-01-01,male"])
    responses = [f"{user},2026-11-02 10:55,9,9,9,{user % 10}" for user in (77, 2)]
    place.deliver("portal_2026-11-03.csv", "user,when,a,b,c,d", responses)
    place.night("2026-11-03T12:00", but_for_finished_tables)
    return place


@pytest.fixture(scope="module")
def linked(unlinked, tmp_path_factory):
    """The next night, with a link: the old exports are gone from the folder, and the portal's comes again."""
    place = unlinked.copied_to(tmp_path_factory.mktemp("linked") / "clinic")
    (place.folder / "links.csv").write_text("space,id,space,id\n" + LINK)
    for path in place.exports.glob("[ap]*.csv"):
        path.unlink()
    place.deliver("portal_2026-11-04.csv", "user,when,a,b,c,d", ["77,2026-11-02 10:55,9,9,9,7"])
    place.night("2026-11-04T12:00", but_for_finished_tables)
    return place


def with_sessions(place) -> list[tuple]:
    return place.ask("SELECT count(DISTINCT client_id), count(session_id), count(*) FROM responses")


def test_the_same_id_in_two_spaces_that_are_not_linked_is_two_clients(unlinked):
    assert unlinked.ask("SELECT count(*) FROM clients") == [(4,)]
    assert with_sessions(unlinked) == [(2, 0, 2)]
    assert unlinked.ask("SELECT count(*) FROM load.client_links") == [(0,)]


def test_a_link_joins_what_is_known_already_and_is_in_the_books(linked):
    assert linked.ask("SELECT count(*) FROM clients") == [(3,)]
    assert with_sessions(linked) == [(2, 1, 2)]
    assert linked.ask("SELECT load_id, id_space, withdrawn_by FROM load.client_links") == [(2, "portal", None)]
    assert linked.ask("SELECT unchanged_count, loaded_count FROM load.files WHERE load_id = 2") == [(1, 0)]
    whose = "SELECT count(*) FROM load.client_links JOIN sessions USING (client_id) JOIN responses USING (session_id)"
    assert linked.ask(whose) == [(1,)]


def test_a_withdrawn_link_parts_the_two_again(linked, tmp_path):
    place = linked.copied_to(tmp_path / "clinic")
    (place.folder / "links.csv").write_text("")
    place.night("2026-11-05T12:00", but_for_finished_tables)
    assert place.ask("SELECT count(*) FROM clients") == [(4,)]
    assert with_sessions(place) == [(2, 0, 2)]
    assert place.ask("SELECT load_id, withdrawn_by FROM load.client_links") == [(2, 3)]
    order = place_change(place.clinic, place.warehouse)
    forget(order, find_person(order, "portal", "77", None))
    assert place.ask("SELECT count(*) FROM load.client_links") == [(0,)], "an erased person's joins of before go too"


def test_who_is_taken_out_by_one_number_is_taken_out_by_all_and_in_older_versions(linked, unlinked, tmp_path):
    place = linked.copied_to(tmp_path / "clinic")
    for name in ("appointments_2026-11-03.csv", "portal_2026-11-03.csv"):
        place.drop(name, (unlinked.exports / name).read_bytes())
    order = place_change(place.clinic, place.warehouse)
    person = find_person(order, "portal", "77", None)
    forget(order, person)
    assert sorted(still_holding(order, place.exports, person)) == [
        "appointments_2026-11-03.csv",
        "clients_2026-11-03.csv",
        "portal_2026-11-03.csv",
        "portal_2026-11-04.csv",
    ]
    assert place.ask("SELECT (SELECT count(*) FROM clients), (SELECT count(*) FROM load.client_links)") == [(2, 0)]
    (place.folder / "links.csv").write_text("")
    place.night("2026-11-06T12:00", but_for_finished_tables)
    assert place.ask("SELECT count(*) FROM clients") == [(2,)]


def test_what_is_held_of_one_person_is_found_by_each_of_their_numbers(linked, tmp_path):
    order = place_change(linked.clinic, linked.warehouse)
    for space, number in (("practice", "1"), ("portal", "77")):
        write_report(order, find_person(order, space, number, None), tmp_path / space)
    reports = [{each.name: each.read_text() for each in (tmp_path / name).iterdir()} for name in ("practice", "portal")]
    assert reports[0] == reports[1]
    assert {"history.appointments.csv", "history.responses.csv", "load.client_links.csv"} < set(reports[0])
    assert "practice,1," in reports[0]["private.crosswalk.csv"] and "portal,77," in reports[0]["private.crosswalk.csv"]


def test_of_a_person_who_is_taken_out_a_wrong_link_of_before_goes_too(linked, tmp_path):
    place = linked.copied_to(tmp_path / "clinic")
    (place.folder / "links.csv").write_text("practice,2,portal,77\n")
    place.night("2026-11-05T12:00", but_for_finished_tables)
    assert place.ask("SELECT load_id, withdrawn_by FROM load.client_links ORDER BY ALL") == [(2, 3), (3, None)]
    order = place_change(place.clinic, place.warehouse)
    forget(order, find_person(order, "portal", "77", None))
    assert place.ask("SELECT (SELECT count(*) FROM clients), (SELECT count(*) FROM load.client_links)") == [(2, 0)]


def test_whoever_was_taken_out_by_one_number_after_the_link_was_withdrawn_is_not_in_a_load_of_before(linked, tmp_path):
    place = linked.copied_to(tmp_path / "clinic")
    (place.folder / "links.csv").write_text("")
    place.night("2026-11-05T12:00", but_for_finished_tables)
    order = place_change(place.clinic, place.warehouse)
    forget(order, find_person(order, "portal", "77", None))
    with patch("rapport.flows.ops.restore.check_tables"), patch("rapport.flows.ops.publish_load.draw"):
        restore(place_restoration(place.clinic, place.warehouse, 2), 2)
    assert place.ask("SELECT max(load_id) FROM load.loads") == [(5,)]
    assert place.ask("SELECT count(*) FROM clients") == [(3,)]
    assert with_sessions(place) == [(1, 0, 1)]
    assert place.ask("SELECT count(*) FROM load.client_links") == [(0,)]


def test_a_link_that_would_bring_a_forgotten_person_back_is_refused(unlinked, tmp_path):
    place = unlinked.copied_to(tmp_path / "clinic")
    order = place_change(place.clinic, place.warehouse)
    forget(order, find_person(order, "portal", "77", None))
    (place.folder / "links.csv").write_text(LINK)
    with pytest.raises(Unusable, match=r"one of the two was taken out \(rapport forget\)"):
        place.night("2026-11-05T12:00", but_for_finished_tables)


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ("practice,1,portal\n", "line 1: it must have four values"),
        ("practice,1,portal,\n", "line 1: it must have four values"),
        (
            "space,id,space,id\npractice,1,portla,77\n",
            "line 2: value 3 is no source's id space; known are 'portal', 'practice'",
        ),
        ("77,portal,1,practice\n", "line 1: value 1 is no source's id space; known are 'portal', 'practice'"),
        ("practice,1,practice,2\n", "line 1: it joins two numbers of one id space"),
        (LINK + "practice,2,portal,77\n", "line 2: it joins two numbers of one id space"),
        (LINK + f"practice,{'7' * 200_000},portal,1\n", "line 2: it is not CSV .*; correct it, or remove it"),
    ],
)
def test_links_that_cannot_be_used_are_refused_with_their_line_and_without_a_number(tmp_path, lines, reason):
    (tmp_path / "links.csv").write_text(lines)
    with pytest.raises(ValueError, match=reason) as refused:
        read_client_links(tmp_path / "links.csv", Spaces(("practice", "portal")))
    assert "77" not in str(refused.value)


@pytest.mark.parametrize(
    ("lines", "main"),
    [
        ("portal,77,lab,5\nlab,5,practice,1\n", ("portal", "77")),
        ("lab,5,practice,1\nportal,77,lab,5\n", ("lab", "5")),
        ("practice,1,portal,77\nportal,77,lab,5\nlab,5,practice,1\n", ("practice", "1")),
        ("practice,1,portal,77\npractice,1,portal,77\nlab,5,practice,1\nlab,5,lab,5\n", ("practice", "1")),
        ("lab,6,practice,2\nportal,77,lab,5\nportal,78,lab,6\nlab,5,practice,1\n", ("portal", "77")),
    ],
)
def test_numbers_joined_in_a_chain_or_a_circle_are_one_person_who_goes_by_the_first_in_the_file(tmp_path, lines, main):
    (tmp_path / "links.csv").write_text(lines)
    links = read_client_links(tmp_path / "links.csv", Spaces(("practice", "portal", "lab")))
    numbers = links.numbers_of(("practice", "1"))
    assert sorted(numbers) == [("lab", "5"), ("portal", "77"), ("practice", "1")]
    assert {links.goes_by[number] for number in numbers} == {main}


def test_joins_are_the_same_in_whatever_order_their_lines_stand(tmp_path):
    marks = set()
    for lines in ("practice,1,portal,77\npractice,2,portal,78\n", "practice,2,portal,78\npractice,1,portal,77\n"):
        (tmp_path / "links.csv").write_text(lines)
        marks.add(read_client_links(tmp_path / "links.csv", Spaces(("practice", "portal"))).mark)
    (tmp_path / "links.csv").write_text("practice,1,portal,78\npractice,2,portal,77\n")
    assert len(marks) == 1
    assert read_client_links(tmp_path / "links.csv", Spaces(("practice", "portal"))).mark not in marks


def sessions_of_answers(place) -> list[tuple]:
    """Each portal answer's last item, and the practice's appointment whose client it is."""
    asked = """
        SELECT r.answers[4]::INTEGER, a.starts_local::DATE::VARCHAR FROM history.responses AS r
        JOIN history.appointments AS a USING (client_id) WHERE r.known_to IS NULL AND a.known_to IS NULL ORDER BY ALL"""
    return place.ask(asked)


def test_links_that_were_crossed_and_are_put_right_mix_nobody_up(tmp_path):
    """One after the other, the first person's records became the second's, and then those of both the first's."""
    place = open_place(tmp_path / "clinic", CLINIC)
    rows = [f"A{n},{n},2026-11-0{n}T10:00,attended" for n in (1, 2, 3)]
    place.deliver("appointments_2026-11-04.csv", "appointment_id,client_id,starts_at,status", rows)
    answers = [f"{user},2026-11-03 10:55,9,9,9,{user}" for user in (1, 2, 3)]
    place.deliver("portal_2026-11-04.csv", "user,when,a,b,c,d", answers)
    days = {n: f"2026-11-0{n}" for n in (1, 2, 3)}
    for night, pairs in enumerate([{1: 2, 2: 3, 3: 1}, {1: 1, 2: 2, 3: 3}, {1: 2, 2: 1}]):
        (place.folder / "links.csv").write_text("".join(f"practice,{a},portal,{b}\n" for a, b in pairs.items()))
        place.night(f"2026-11-{night + 4:02d}T12:00", but_for_finished_tables)
        assert sessions_of_answers(place) == sorted((user, days[client]) for client, user in pairs.items())
        in_use = "SELECT count(*) FROM load.client_links WHERE withdrawn_by IS NULL"
        assert place.ask(in_use) == [(len(pairs),)]


def test_a_person_who_goes_by_another_number_than_before_stays_one_person(linked, tmp_path):
    """An upgrade: they went by the number in the first id space of the clinic file."""
    place = linked.copied_to(tmp_path / "clinic")
    (place.folder / "links.csv").write_text("portal,77,practice,1\n")
    place.night("2026-11-05T12:00", but_for_finished_tables)
    assert place.ask("SELECT count(*) FROM clients") == [(3,)]
    assert with_sessions(place) == [(2, 1, 2)]
    books = "SELECT load_id, id_space, withdrawn_by FROM load.client_links ORDER BY load_id"
    assert place.ask(books) == [(2, "portal", 3), (3, "practice", None)]

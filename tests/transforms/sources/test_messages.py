"""HL7 messages, FHIR participants and OpenEMR's calendar: what was booked, for whom, and with whom."""

import json
from collections.abc import Sequence

import pytest

from rapport.transforms.sources.opening.pages import together
from tests.clinics.few_tables import few_tables
from tests.clinics.nights import but_for_finished_tables, open_place
from tests.clinics.reading import Reading
from tests.transforms.sources.test_fhir import appointment
from tests.transforms.sources.test_systems import OPENEMR

CLINIC = '[sources.it]\nformat = "hl7_siu"\nfiles = "*"\n[sources.it.status]\ncancelled_by = "client"\n'
MSH = "MSH|^~\\&|A|B|C|D|{at}||{event}|1|P|{version}"


def message(*segments: str, event: str = "SIU^S12", version: str = "2.5", at: str = "20260228120000") -> str:
    return "\r".join([MSH.format(event=event, version=version, at=at), *segments, ""])


def sch(number: str = "F1", occurrence: str = "", start: str = "202603021000", length: str = "50") -> str:
    return f"SCH|P1|{number}|{occurrence}||||||{length}|min|^^^{start}||||||||||||||Booked"


def read(tmp_path, *messages: str, clinic: str = CLINIC) -> Reading:
    return Reading(tmp_path, clinic, "".join(messages).encode(), "it")


def told(found: Reading, *columns: str) -> list[tuple]:
    rows = found.rows("appointments").sort("appointment_id")
    return rows.select(*columns).rows()


def test_each_occurrence_of_a_recurring_appointment_is_one_and_the_first_keeps_the_id(tmp_path):
    messages = [
        message(sch(occurrence=n, start=f"2026030{d}1000"), "PID|1||12") for d, n in ((2, ""), (3, "2"), (4, "3"))
    ]
    messages.append(message(sch(occurrence="2", start="202603031100"), "PID|1||12", event="SIU^S13", at="20260301"))
    found = read(tmp_path, *messages)
    assert [(number, f"{at:%d %H}") for number, at in told(found, "appointment_id", "starts_local")] == [
        ("F1", "02 10"), ("F1/2", "03 11"), ("F1/3", "04 10"),
    ]  # fmt: skip


TQ1, AIS = "TQ1|1||||||202603031100|202603031150", "AIS|1||T|202603041200|||45|min"


@pytest.mark.parametrize(
    ("version", "segments", "expected"),
    [
        ("2.3", [TQ1, AIS], ("02 10:00", 50)),
        ("2.4", [TQ1, AIS], ("02 10:00", 50)),
        ("2.5", [TQ1, AIS], ("03 11:00", 50)),
        ("2.5.1", [AIS], ("04 12:00", 45)),
        ("2.5", [], ("02 10:00", 50)),
        ("2.10", [TQ1], ("03 11:00", 50)),
        ("", [TQ1], ("02 10:00", 50)),
    ],
)
def test_from_2_5_on_tq1_and_ais_say_when(tmp_path, version, segments, expected):
    found = read(tmp_path, message(sch(), "PID|1||12", *segments, version=version))
    ((at, length),) = told(found, "starts_local", "duration_minutes")
    assert (f"{at:%d %H:%M}", length) == expected


def test_a_moved_appointment_does_not_keep_the_end_of_its_former_time(tmp_path):
    first = message("SCH|P1|F1|||||||||^^^202603021000^202603021050||||||||||||||Booked", "PID|1||12")
    moved = message("SCH|P1|F1|||||||||^^^202603021030||||||||||||||Booked", "PID|1||12", at="20260301")
    assert told(read(tmp_path, first, moved), "duration_minutes") == [(None,)]


@pytest.mark.parametrize(
    ("segments", "therapist"),
    [
        (["AIP|1||7^LEE", "AIG|1||8^KIM", "PV1|1||||||9^LO"], "7"),
        (["AIG|1||8^KIM", "PV1|1||||||9^LO"], "8"),
        (["AIG|1||8^KIM|D^Doctor"], "8"),
        (["AIG|1||R2|ROOM", "PV1|1||||||9^LO"], "9"),
        (["PV1|1||||||9^LO"], "9"),
        ([], None),
    ],
)
def test_aip_aig_or_pv1_names_the_therapist_and_a_room_does_not(tmp_path, segments, therapist):
    assert told(read(tmp_path, message(sch(), "PID|1||12", *segments)), "therapist_id") == [(therapist,)]


@pytest.mark.parametrize(
    ("wanted", "client"), [("", "999"), ("MR", "12"), ("SS", "999"), ("PRACTICE", "12"), ("HOSP", None)]
)
def test_of_several_identifiers_the_type_or_the_authority_says_which_is_the_record_number(tmp_path, wanted, client):
    clinic = CLINIC.replace("[sources.it.status]", f'identifier = "{wanted}"\n[sources.it.status]' if wanted else
                            "[sources.it.status]")  # fmt: skip
    found = read(tmp_path, message(sch(), "PID|1||999^^^US&1.2&ISO^SS~12^^^PRACTICE&1.3&ISO^MR"), clinic=clinic)
    assert told(found, "client_id") == [(client,)]


def test_messages_of_another_kind_are_passed_over_and_counted_also_where_a_file_has_no_others(tmp_path):
    other = message("PID|1||12", event="ADT^A04")
    found = read(tmp_path, other, message(sch(), "PID|1||12"), other)
    assert (found.opened.record_count, found.ignored_count, found.opened.told) == (3, 2, [])
    found = read(tmp_path, other)
    assert (found.opened.record_count, found.ignored_count, found.rows("appointments").height) == (1, 1, 0)
    assert "none about appointments (SIU)" in found.opened.told[0]


def test_a_participant_who_declined_did_not_attend_and_one_who_declined_to_lead_does_not(tmp_path):
    people = [
        ("Patient/1", "accepted"),
        ("Patient/2", "declined"),
        ("Practitioner/8", "declined"),
        ("Practitioner/9", ""),
    ]
    group = appointment("g", "fulfilled")
    group["participant"] = [{"actor": {"reference": who}, "status": said} for who, said in people]
    missed = group | {"id": "m", "status": "noshow"}
    clinic = '[sources.it]\nformat = "fhir"\nfiles = "*"\n'
    found = Reading(tmp_path, clinic, "\n".join(map(json.dumps, [group, missed])).encode(), "it")
    rows = found.rows("appointments").sort("appointment_id", "client_id")
    assert rows.select("client_id", "therapist_id", "status").rows() == [
        ("1", "9", "attended"), ("2", "9", "cancelled_by_client"), ("1", "9", "no_show"), ("2", "9", "no_show"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ("20261101013000-0500", "20261101011000-0600"),  # the clocks went back in between
        ("20261101063000+0000", "20261101020000-0500"),
        ("20261031233000", "20261101043500+0000"),  # without an offset it is the source's own clock
        ("", "20261101"),
    ],
)
def test_of_two_messages_the_one_that_was_sent_later_decides_whatever_offset_it_has(tmp_path, first, then):
    booked, cancelled = message(sch(), "PID|||1", at=first), message(sch(), "PID|||1", event="SIU^S15", at=then)
    for name, messages in (("a", [booked, cancelled]), ("b", [cancelled, booked])):
        (tmp_path / name).mkdir()
        assert told(read(tmp_path / name, *messages), "status") == [("cancelled_by_client",)]


@pytest.mark.parametrize("client", ["", "NULL", "\\N", "0", " "])
def test_a_calendar_s_row_without_a_client_is_the_therapist_s_own_time(tmp_path, client):
    rows = f"1,{client},7,2026-03-02,,10:00:00,3000,0,,@\n2,12,7,2026-03-02,,11:00:00,3000,0,,@\n"
    found = Reading(tmp_path, '[sources.it]\nformat = "openemr"\nfiles = "*"\n', (OPENEMR + rows).encode(), "it")
    assert found.rows("appointments")["client_id"].to_list() == ["12"]
    assert found.ignored_count == 1


def booking(number: int) -> dict:
    links = {"links": {"self": "https://x/patients/7"}}
    return {"id": str(number), "starts_at": "2026-11-02T16:00:00Z", "patient_arrived": True, "patient": links}


def cliniko_page(numbers: list[int], page: int, last: int, total: int | None = None) -> str:
    links = {"self": f"https://x/a?page={page}", **({"next": f"https://x/a?page={page + 1}"} if page < last else {})}
    count = {"total_entries": total} if total else {}
    return json.dumps({"individual_appointments": list(map(booking, numbers)), **count, "links": links})


def bundle(following: bool, modes: Sequence[str] = ("match",), total: int = 1) -> str:
    links = [{"relation": "self", "url": "https://x/1"}]
    links += [{"relation": "next", "url": "https://x/2"}] if following else []
    found = enumerate(modes)
    entry = [{"resource": appointment(str(n), "fulfilled"), "search": {"mode": mode}} for n, mode in found]
    return json.dumps({"resourceType": "Bundle", "type": "searchset", "total": total, "link": links, "entry": entry})


@pytest.mark.parametrize(
    ("form", "files", "is_short"),
    [
        ("cliniko", [cliniko_page([1, 2], 1, 2, 237)], True),
        ("cliniko", [cliniko_page([1, 2], 1, 1, 2)], False),
        ("cliniko", [cliniko_page([1, 2], 1, 1, 3)], True),
        ("cliniko", [cliniko_page([1, 2], 1, 2, 3), cliniko_page([3], 2, 2, 3)], False),
        ("cliniko", [cliniko_page([1, 2], 1, 3, 9), cliniko_page([3], 2, 3, 9)], True),
        ("cliniko", [cliniko_page([1], 1, 2, 2) + "\n" + cliniko_page([2], 2, 2, 2)], False),
        ("fhir", [bundle(following=True)], True),
        ("fhir", [bundle(following=False)], False),
        ("fhir", [bundle(following=False, total=2)], True),
        ("fhir", [bundle(following=False, modes=["match", "include"], total=2)], True),
        ("fhir", [bundle(following=False, modes=["match", "include"], total=1)], False),
        ("fhir", [bundle(following=False, modes=["match"], total=2)] * 2, False),
    ],
)
def test_a_page_of_several_is_known_by_its_next_link_or_by_its_total(tmp_path, form, files, is_short):
    clinic = f'[sources.it]\nformat = "{form}"\nfiles = "*"\n'
    found = [Reading(tmp_path, clinic, each.encode(), "it") for each in files]
    assert all(each.rows("appointments").height for each in found)  # and it is read
    whole = together(each.opened.pages for each in found)
    assert whole.is_short(sum(each.opened.record_count for each in found)) == is_short


def test_a_night_tells_that_a_page_is_not_the_whole_and_closes_nothing_by_it(tmp_path):
    clinic = 'time_zone = "UTC"\nvanished_limit = 1\n[sources.it]\nformat = "cliniko"\nfiles = "a_%Y-%m-%d.json"\n'
    place = open_place(tmp_path / "clinic", clinic + 'covers = "all"\n')
    place.drop("a_2026-11-18.json", cliniko_page([1, 2, 3], 1, 1, 3).encode())
    with few_tables():
        first = place.night("2026-11-18T03:00", but_for_finished_tables)
        place.drop("a_2026-11-19.json", cliniko_page([1], 1, 2, 3).encode())
        second = place.night("2026-11-19T03:00", but_for_finished_tables)
    assert not [told for told in first.troubles.warnings if "page" in told]
    (told,) = [told for told in second.troubles.warnings if "page" in told]
    assert "is a page of several (1 of 3 records), and the next page is not among tonight's files" in told
    assert place.ask("SELECT count(*) FROM appointments") == [(3,)]

"""An upgrade mends: what other code read or computed is read and computed again, and what cannot be is told."""

import pytest

from rapport import transforms
from rapport.flows.order import place_order
from rapport.flows.steps.changed_definitions import fingerprints
from rapport.flows.steps.done_again import Again
from rapport.warehouse.clinic_file import statuses
from rapport.warehouse.intake.ledger import write_sources
from rapport.warehouse.places.folders import copy_to
from rapport.warehouse.store.building_file import open_file
from tests.breaking.marked import changed
from tests.clinics.nights import APPOINTMENTS, Place, but_for_finished_tables, held, open_place
from tests.transforms.sources.test_systems import LOG

NOON = "2026-11-{}T12:00"
TWO_SYSTEMS = """\
time_zone = "America/Chicago"
quarantine_limit = 1.0

[sources.calendar]
format = "table"
records = "appointments"
files = "calendar_%Y-%m-%d.csv"

[sources.calendar.status]
words = { attended = "attended", Off = "cancelled" }
cancelled_by = "client"

[sources.messages]
format = "hl7_siu"
files = "messages_%Y-%m-%d.hl7"

[sources.messages.status]
cancelled_by = "client"
"""
CALENDAR = [held(1, 10), "A2,C2,2026-11-10T12:00,Off,T1"]


@pytest.fixture
def place(tmp_path, short_nights) -> Place:
    """A clinic of two systems, with an export of each."""
    place = open_place(tmp_path / "clinic", TWO_SYSTEMS)
    place.deliver("calendar_2026-11-11.csv", APPOINTMENTS, CALENDAR)
    place.drop("messages_2026-11-11.hl7", LOG.encode())
    return place


def read_again(night) -> list[str]:
    return sorted(delivery.path.name for delivery in night.intake.found.deliveries)


def test_the_night_after_a_misreading_is_mended_corrects_the_status(place, monkeypatch):
    with monkeypatch.context() as wrong:
        wrong.setattr(statuses, "_SIDES", {"client": "cancelled_by_clinic", "clinic": "cancelled_by_client"})
        place.night(NOON.format(12))
    said = "SELECT status FROM appointments WHERE source = 'calendar' ORDER BY starts_at"
    assert place.ask(said) == [("attended",), ("cancelled_by_clinic",)]
    place.night(NOON.format(13))
    assert place.ask(said) == [("attended",), ("cancelled_by_client",)]


def test_other_code_of_one_format_reads_its_files_again_alone_and_the_night_says_so_before(place, capsys):
    first = place.night(NOON.format(12))
    assert (read_again(first)[0], first.intake.found.again.sentences) == ("calendar_2026-11-11.csv", [])
    with changed("rapport.transforms.sources.hl7_siu"):
        told: list[str] = []
        checked = _told_night(place, NOON.format(14), told, is_check=True)
        tonight = _told_night(place, NOON.format(14), told)
    assert read_again(checked) == read_again(tonight) == ["messages_2026-11-11.hl7"]
    said = "Files that are read again, because their reader, the clinic file or a questionnaire changed: 1 of messages."
    assert tonight.intake.found.again.sentences == checked.intake.found.again.sentences == [said]
    assert told.index(said) < told.index("read")


def _told_night(place: Place, as_of: str, told: list[str], **more: object):
    from rapport.flows.night import night  # noqa: PLC0415

    order = place_order(place.exports, place.clinic, place.warehouse, as_of, **more)
    return night(order, but_for_finished_tables, told.append)


def test_other_code_of_a_table_computes_it_again_and_a_table_that_is_not_there_too(place, monkeypatch):
    place.night(NOON.format(12))
    few = transforms.tables()
    with monkeypatch.context() as older:
        older.setattr(transforms, "tables", lambda: [table for table in few if table.name != "clients"])
        assert place.night(NOON.format(13)).intake.found.again.tables == ()
    with changed("rapport.transforms.alliance.alliance"):
        assert place.night(NOON.format(14)).intake.found.again.tables == ("alliance", "clients")
    assert place.ask("SELECT count(*) FROM clients") == [(3,)]


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        ((), []),
        (("alliance", "scores"), ["alliance, scores"]),
        (tuple("abcdef"), ["6 of 40"]),
    ],
)
def test_a_few_tables_are_named_and_many_are_counted(tables, said):
    told = Again({}, tables, 40).sentences
    because = "Tables that are computed again for everybody, because their definition changed: {}."
    assert told == [because.format(each) for each in said]


# Records that cannot be read again


def counted(place: Place) -> dict[str, int]:
    return dict(place.ask("SELECT source, read_otherwise_count FROM load.sources WHERE read_otherwise_count > 0"))


def counted_by_a_load_that_reads_nothing(place: Place) -> dict[str, int]:
    order = place_order(place.exports, place.clinic, place.warehouse, NOON.format(14))
    with open_file(copy_to(place.published, place.folder / "copy.duckdb"), place.folder) as con:
        write_sources(con, order.clinic, order.as_of)
        counts = con.sql("SELECT source, read_otherwise_count FROM load.sources").fetchall()
    return {source: count for source, count in counts if count}


def deliver(place: Place, day: int, *rows: str) -> None:
    place.deliver(f"calendar_2026-11-{day}.csv", APPOINTMENTS, list(rows))


def take_away(place: Place, *days: int) -> dict[str, bytes]:
    paths = [place.exports / f"calendar_2026-11-{day}.csv" for day in days]
    contents = {path.name: path.read_bytes() for path in paths}
    for path in paths:
        path.unlink()
    return contents


def test_records_are_counted_and_told_that_other_code_would_read_otherwise_and_whose_exports_are_gone(
    place, run_night_here
):
    """Of the two of the file that is gone a newer file shows one."""
    place.night(NOON.format(12))
    gone = take_away(place, 11)
    deliver(place, 12, CALENDAR[0], held(3, 11))
    told = "1 records of calendar come from exports that are gone and were read by older code, or under another clinic"
    with changed("rapport.transforms.sources.table"):
        assert told in run_night_here(place, NOON.format(13), "--check").stdout
        assert place.night(NOON.format(13)).publication.read_otherwise == {"calendar": 1}
        assert counted(place) == counted_by_a_load_that_reads_nothing(place) == {"calendar": 1}
        for name, content in gone.items():
            place.drop(name, content)
        assert read_again(place.night(NOON.format(14))) == ["calendar_2026-11-11.csv"]
        assert counted(place) == {}


def test_a_newer_whole_export_shows_all_there_is(place):
    place.clinic.write_text(TWO_SYSTEMS.replace('%d.csv"', '%d.csv"\ncovers = "all"'))
    place.night(NOON.format(12))
    take_away(place, 11)
    deliver(place, 12, *CALENDAR)
    assert place.night(NOON.format(13)).publication.read_otherwise == {}
    files = "SELECT DISTINCT load_id FROM history.appointments JOIN load.files USING (file_id) WHERE known_to IS NULL"
    assert (1,) in place.ask(files)  # the records are still known from the first night's file
    with changed("rapport.transforms.sources.table"):
        place.night(NOON.format(14))
    assert counted(place) == {}


# What the clinic declares


@pytest.mark.parametrize(
    ("declared", "redefined"),
    [
        ('[shared]\nprofile = "cms"', []),
        ('on_failure = "true"\nkeep_versions = 3', []),
        ("[protocol.srs]\nraters = ['client']\nevery = 2", ["completion"]),
        ("minimum_caseload = 20", ["funnel_points", "therapist_effects"]),
    ],
)
def test_a_key_of_the_clinic_file_redefines_the_tables_whose_code_reads_it(tmp_path, declared, redefined):
    def defined(text: str) -> dict:
        place = Place(tmp_path)
        place.exports.mkdir(exist_ok=True)
        place.clinic.write_text(f'time_zone = "UTC"\n{text}')
        return fingerprints(place_order(place.exports, place.clinic, place.warehouse, NOON.format(12)))

    before, now = defined(""), defined(declared)
    moved = {name for kind, name in before if kind == "table" and before[kind, name] != now[kind, name]}
    reads = {table.name: table.reads for table in transforms.tables()}
    assert sorted(name for name in moved if not moved & set(reads[name])) == redefined

"""Columns that come and go: told per source; a column that was read and vanishes holds the file back."""

from pathlib import Path

import polars as pl
import pytest

from tests.clinics.few_tables import few_tables
from tests.clinics.nights import Place, but_for_finished_tables, open_place
from tests.clinics.spreadsheets import xlsx

PLAIN = """
[sources.bookings]
records = "appointments"
files = "bookings_%Y-%m-%d*"
"""
TABLE = """
[sources.bookings]
format = "table"
records = "appointments"
files = "bookings_%Y-%m-%d*"
dates = "iso"
{more}
[sources.bookings.columns]
appointment_id = "Ref"
client_id = "Client"
starts_at = "When"
status = "State"
duration_minutes = "Length"
[sources.bookings.status]
words = {{ "attended" = "attended" }}
"""
WIDE = """
[sources.bookings]
format = "wide"
files = "bookings_%Y-%m-%d*"
id_space = "clinic"
client_id = "Client"
completed_at = "When"
instrument = "srs"
rater = "client"
items = ["a", "b", "c", "d"]
therapist_id = "Length"
"""
TOP = 'time_zone = "UTC"\nlicences = ["srs"]\nquarantine_limit = 0.9\n'
COLUMNS = ["appointment_id", "client_id", "starts_at", "status"]
OPTIONAL = {"plain": "duration_minutes", "table": "Length", "wide": "Length"}
SECTIONS = {"plain": PLAIN, "table": TABLE.format(more=""), "wide": WIDE}
ROW = {
    "plain": {"appointment_id": "1", "client_id": "A", "starts_at": "2026-11-02T10:00", "status": "attended"},
    "table": {"Ref": "1", "Client": "A", "When": "2026-11-02T10:00", "State": "attended"},
    "wide": {"Client": "A", "When": "2026-11-02T10:50", "a": "8", "b": "8", "c": "8", "d": "8"},
}
READ = {
    "plain": "SELECT count(*), max(duration_minutes) FROM appointments",
    "table": "SELECT count(*), max(duration_minutes) FROM appointments",
    "wide": "SELECT count(*), max(CASE WHEN therapist_id IS NOT NULL THEN 50 END) FROM responses",
}


@pytest.fixture(autouse=True)
def short_nights():
    with few_tables():
        yield


@pytest.fixture
def place(tmp_path) -> Place:
    return open_place(tmp_path / "clinic", TOP + PLAIN)


def written(place: Place, day: int, row: dict[str, str], kind: str = "csv", letter: str = "") -> Path:
    """A file of one record."""
    name = f"bookings_2026-11-{day}{letter}.{kind}"
    if kind == "csv":
        return place.deliver(name, ",".join(row), [",".join(row.values())])
    if kind == "xlsx":
        return place.drop(name, xlsx(Bookings=[list(row), list(row.values())]))
    path = place.exports / name
    pl.DataFrame([row]).write_parquet(path)
    return place.drop(name, path.read_bytes())


def night(place: Place, day: int):
    return place.night(f"2026-11-{day}T03:00", but_for_finished_tables).troubles


@pytest.mark.parametrize("kind", ["csv", "xlsx", "parquet"])
@pytest.mark.parametrize("shape", ["plain", "table", "wide"])
def test_a_column_that_was_read_and_vanishes_holds_the_file_back_until_missing_ok_names_it(place, shape, kind):
    column = OPTIONAL[shape]
    place.clinic.write_text(TOP + SECTIONS[shape])
    written(place, 18, {**ROW[shape], column: "50"}, kind)
    assert night(place, 18).status == 0
    written(place, 19, ROW[shape], kind)
    for day in (19, 20):
        troubles = night(place, day)
        (said,) = troubles.damaged
        assert f"lacks the column '{column}', which the last export had, and is not read" in said
        assert f'add missing_ok = ["{column}"] to [sources.bookings]' in said
        assert troubles.status == 4
        assert place.ask(READ[shape]) == [(1, 50)]
    place.clinic.write_text(TOP + SECTIONS[shape].replace("files =", f'missing_ok = ["{column}"]\nfiles =', 1))
    troubles = night(place, 21)
    assert troubles.status == 0
    assert f"no longer has 1 column ('{column}') of the last export" in " ".join(troubles.warnings)
    assert place.ask(READ[shape]) == [(1, None)]


def test_columns_that_are_not_read_are_told_by_their_place_and_once(place):
    written(place, 18, {**ROW["plain"], "Room": "2", "Note": "a"})
    assert night(place, 18).warnings == (), "there is nothing to compare the first export with"
    written(place, 19, {"Fee": "9", **ROW["plain"], "Site": "x", "room": "2"})
    lost, new = night(place, 19).warnings
    assert "no longer has 1 column (number 6) of the last export" in lost
    assert "has 2 columns (number 1 and 'site') that the last export did not have" in new.replace("'Site'", "'site'")
    written(place, 20, {"Fee": "9", **ROW["plain"], "Site": "x", "room": "2"})
    assert night(place, 20).warnings == ()


def test_capitals_and_marks_of_a_header_are_no_change_of_columns(place):
    written(place, 18, {**ROW["plain"], "duration_minutes": "50", "Room no.": "2"})
    night(place, 18)
    capital = {name.upper().replace("_", " "): value for name, value in ROW["plain"].items()}
    written(place, 19, {**capital, "DURATION MINUTES": "50", "ROOM NO": "2"})
    troubles = night(place, 19)
    assert (troubles.warnings, troubles.damaged) == ((), ())
    assert place.ask(READ["plain"]) == [(1, 50)]


def test_a_good_export_after_one_that_is_held_back_is_read(place):
    written(place, 18, {**ROW["plain"], "duration_minutes": "50"})
    night(place, 18)
    written(place, 19, ROW["plain"])
    night(place, 19)
    written(place, 20, {**ROW["plain"], "duration_minutes": "45"})
    night(place, 20)
    assert place.ask(READ["plain"]) == [(1, 45)]


def test_two_files_of_one_time_with_different_columns_are_as_they_were(place):
    """Two sites export one source; only one of them writes the length."""
    for day in (18, 19):
        written(place, day, {**ROW["plain"], "duration_minutes": "50", "Room": "2"}, letter="a")
        written(place, day, {**ROW["plain"], "appointment_id": "2", "client_id": "B"}, letter="b")
        troubles = night(place, day)
        assert (troubles.warnings, troubles.damaged) == ((), ())
    assert place.ask("SELECT count(*) FROM appointments") == [(2,)]


def test_names_of_columns_that_are_not_read_are_not_kept(place):
    written(place, 18, {**ROW["plain"], "Zyx Canary": "2"})
    night(place, 18)
    kept = place.ask("SELECT column_name FROM load.export_columns ORDER BY place")
    assert [name for (name,) in kept] == [*COLUMNS, None]


def test_columns_of_redcaps_repeats_come_and_go(place):
    section = '\n[sources.bookings]\nformat = "redcap"\nfiles = "bookings_%Y-%m-%d*"\nid_space = "clinic"\n'
    section += "stands_alone = true\n"
    form = '[sources.bookings.forms.srs]\ninstrument = "srs"\nrater = "client"\nitems = ["a", "b", "c", "d"]\n'
    place.clinic.write_text(TOP + section + form)
    row = {"record_id": "A", "srs_timestamp": "2026-11-02 10:50:00", "a": "8", "b": "8", "c": "8", "d": "8"}
    repeat = {"redcap_repeat_instrument": "", "redcap_repeat_instance": ""}
    for day, more in ((18, repeat), (19, {}), (20, repeat)):
        written(place, day, row | more)
        troubles = night(place, day)
        assert (troubles.warnings, troubles.damaged) == ((), ())

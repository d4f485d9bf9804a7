"""The demo clinic plants defects and writes down which: the quarantine must be exactly that."""

from datetime import date
from pathlib import Path

import pytest

from rapport.flows import demo
from rapport.flows.night import night
from rapport.flows.order import place_order
from rapport.flows.private.key import make_key, read_key
from rapport.transforms.pseudonyms import Pseudonyms
from rapport.warehouse.store.building_file import in_utc
from rapport.warehouse.store.opening import open_file
from tests.clinics.few_tables import few_tables
from tests.clinics.nights import but_for_pages

UNTIL = date(2026, 11, 20)


def load(folder: Path, *, clients: int, nights: int, seed: int, clean: bool):
    """A demo clinic's files in one night: the truth, the published file, and file names by their keyed hash."""
    truth = demo.write(folder, clients=clients, nights=nights, seed=seed, until=UNTIL, clean=clean, surveys="full")
    order = place_order(folder / "exports", folder / "clinic.toml", folder / "warehouse", "2026-11-21T03:00")
    make_key(order.folders)
    night(order, run=but_for_pages)
    ids = Pseudonyms(read_key(order.folders))
    sources = [source.name for source in order.clinic.sources]
    names = {ids.one(s, "file_name", path.name): path.name for path in order.exports.iterdir() for s in sources}
    return truth, in_utc(open_file(order.folders.published, read_only=True)), names


@pytest.mark.parametrize("seed", range(1, 6))
def test_the_quarantine_is_exactly_what_was_planted_and_both_ledgers_balance(tmp_path, seed):
    with few_tables():
        truth, con, names = load(tmp_path, clients=60, nights=3, seed=seed, clean=False)
    with con:
        rows = con.sql("""
            SELECT DISTINCT replace(name_id::VARCHAR, '-', ''), record_number, rule
            FROM load.quarantine JOIN load.files USING (load_id, file_id)""").fetchall()
        planted = {(each["file"], each["record"], each["reason"]) for each in truth["defects"]}
        assert {(names[name], record, rule) for name, record, rule in rows} == planted
        assert planted
        assert con.sql("SELECT sum(duplicate_count) FROM load.files").fetchone()[0] == len(truth["duplicates"])
        assert_balanced(con, truth, names)


def assert_balanced(con, truth, names):
    """Each file's records go somewhere, the count is the file's own, and an expectation says so."""
    files = con.sql("""
        SELECT replace(name_id::VARCHAR, '-', ''), record_count - header_count,
            record_count - header_count - blank_or_footer_count - ignored_count - duplicate_count
            - unchanged_count - quarantined_count - loaded_count
        FROM load.files""").fetchall()
    assert {names[name]: count for name, count, _ in files} == truth["files"]
    assert {left for *_, left in files} == {0}
    held = "duplicate_count + unchanged_count + quarantined_count + loaded_count"
    assert con.sql(f"SELECT count(*) FROM load.rows WHERE row_count <> {held}").fetchone() == (0,)
    said = "SELECT suite, outcome FROM load.expectation_results WHERE suite LIKE 'load.%' ORDER BY suite"
    assert con.sql(said).fetchall() == [("load.files", "passed"), ("load.rows", "passed")]


def test_a_clean_clinic_quarantines_nothing(tmp_path):
    _, con, _ = load(tmp_path, clients=60, nights=3, seed=7, clean=True)
    with con:
        assert con.sql("SELECT count(*) FROM load.quarantine").fetchone() == (0,)
        assert con.sql("SELECT count(*) FROM load.expectation_results WHERE outcome <> 'passed'").fetchone() == (0,)

"""What is done beside the night: keep-and-compact, and the backfill of a folder of years."""

import pytest

from rapport.flows.ops import backfill, compact
from rapport.flows.ops.backfill import month_ends
from rapport.flows.order import place_change, place_order
from rapport.warehouse.errors import RapportError
from rapport.warehouse.store.seal import as_of_published
from tests.clinics.nights import APPOINTMENTS, held, open_place, writable

CLINIC = """\
time_zone = "America/Chicago"

[sources.appointments]
files = "appointments_%Y-%m-%d.csv"
"""


@pytest.fixture
def years(tmp_path):
    """A folder with exports of three months, August's at midnight on the first, and one of the present month."""
    place = open_place(tmp_path / "clinic", CLINIC)
    for number, day in enumerate(("2026-07-31", "2026-09-01", "2026-10-15", "2026-11-18")):
        place.deliver(f"appointments_{day}.csv", APPOINTMENTS, [held(number, 2).replace("2026-11", "2026-06")])
    return place


def order(place, as_of="2026-11-18T12:00"):
    return place_order(place.exports, place.clinic, place.warehouse, as_of)


def ends(place) -> list[str]:
    asked = order(place)
    return [f"{end.astimezone(asked.clinic.zone):%Y-%m-%dT%H:%M}" for end in month_ends(asked)]


def test_a_backfill_runs_a_night_after_each_month_that_brought_something_and_one_now(years):
    assert ends(years) == ["2026-08-01T00:00", "2026-09-01T00:00", "2026-11-01T00:00", "2026-11-18T12:00"]


def test_what_was_stopped_goes_on_where_it_was_and_history_knows_when_what_was_known(years, capsys):
    spoiled = years.exports / "appointments_2026-10-15.csv"
    whole, arguments = spoiled.read_bytes(), ["--exports", str(years.exports), "--clinic", str(years.clinic)]
    arguments += ["--warehouse", str(years.warehouse), "--as-of", "2026-11-18T12:00"]
    years.drop(spoiled.name, b"")
    assert backfill.main(arguments) == 1
    said = capsys.readouterr()
    assert said.out.splitlines()[:2] == ["1 of 4: to 2026-08-01 00:00", "  published as load 1: 1 records loaded"]
    assert "is empty" in said.err
    assert ends(years) == ["2026-11-01T00:00", "2026-11-18T12:00"]
    years.drop(spoiled.name, whole)
    assert backfill.main(arguments) == 0
    assert capsys.readouterr().out.splitlines()[0] == "1 of 2: to 2026-11-01 00:00"
    months = "SELECT count(*) FROM history.appointments_as_known_on(DATE '2026-{}')"
    assert [years.ask(months.format(day))[0][0] for day in ("08-02", "09-02", "11-02", "11-18")] == [1, 2, 3, 4]
    assert years.ask("SELECT count(*) FILTER (outcome = 'failed') FROM load.loads") == [(1,)]
    assert ends(years) == ["2026-11-18T12:00"]


def test_keep_and_compact_checks_every_table_whole_and_publishes_the_same(yesterday):
    before = yesterday.ask("SELECT count(*), sum(score) FROM scores")
    as_of = as_of_published(yesterday.published)
    load = compact.compact(place_change(yesterday.clinic, yesterday.warehouse)).done
    assert yesterday.ask("SELECT count(*), sum(score) FROM scores") == before
    assert as_of_published(yesterday.published) == as_of  # so that it is no fresher than it was
    suites = (
        f"SELECT DISTINCT suite FROM load.expectation_results WHERE load_id = {load.load_id} AND suite LIKE 'main.%'"
    )
    tables = "SELECT 'main.' || table_name FROM duckdb_tables() WHERE schema_name = 'main'"
    unchecked = set(yesterday.ask(tables)) - set(yesterday.ask(suites))
    assert unchecked == {("main.risk_answers",)}  # a record, not a computed table
    assert yesterday.ask("SELECT purpose FROM load.loads WHERE outcome = 'published' ORDER BY load_id") == [
        ("night",),
        ("compaction",),
    ]


def test_keep_and_compact_refuses_to_publish_a_table_that_breaks_its_promises(yesterday, monkeypatch):
    import duckdb  # noqa: PLC0415

    version = writable(yesterday.published.resolve())
    with duckdb.connect(str(version)) as con:
        con.execute("UPDATE main.scores SET pomp = 400")
    before = yesterday.published.readlink()
    with pytest.raises(RapportError, match=r"failed on \d+ rows of main.scores"):
        compact.compact(place_change(yesterday.clinic, yesterday.warehouse))
    assert yesterday.published.readlink() == before

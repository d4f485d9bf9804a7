"""Verification never raises a false alarm, whatever was done to a warehouse; and its advice ends a true one."""

import re
import shlex
from datetime import date

import pytest

from rapport import transforms
from rapport.flows.bench.without_metrics import without_metrics
from rapport.flows.ops import backfill, restore
from rapport.flows.ops.compact import compact
from rapport.flows.ops.forget import find_person, forget
from rapport.flows.ops.inbox import discard
from rapport.flows.ops.verify import main, verify
from rapport.flows.order import place_change
from rapport.warehouse.places.versions import kept_versions
from rapport.warehouse.store.building_file import open_file
from tests.clinics.nights import (
    APPOINTMENTS,
    RESPONSES,
    Place,
    answered,
    but_for_finished_tables,
    held,
    open_place,
    writable,
)

CLINIC = """\
time_zone = "America/Chicago"
licences = ["srs"]
client_links = "links.csv"

[sources.appointments]
files = "appointments_%Y-%m-%d.csv"
id_space = "clinic"

[sources.responses]
files = "responses_%Y-%m-%d.csv"
id_space = "clinic"

[sources.clients]
files = "clients_%Y-%m-%d.csv"
id_space = "clinic"

[sources.register]
records = "clients"
files = "register_%Y-%m-%d.csv"
id_space = "clinic"

[sources.portal]
records = "responses"
files = "portal_%Y-%m-%d.csv"
id_space = "portal"
stands_alone = true
"""
NO_LINK, LINK = "space,id,space,id\n", "space,id,space,id\nclinic,C1,portal,U7\n"
CHILD, ADULT = "2012-03-01", "1999-03-01"


@pytest.fixture(scope="module", autouse=True)
def short_nights():
    """Few tables, but the clinic's own are made."""
    with without_metrics():
        yield


@pytest.fixture(scope="module")
def two_nights(tmp_path_factory):
    """A night, and one after which client 1 is no child any more; a response with an unknown item waits."""
    place = open_place(tmp_path_factory.mktemp("verify") / "clinic", CLINIC)
    link(place, NO_LINK)
    born(place, "clients", 11, C1=CHILD, C2=CHILD)
    born(place, "register", 11, C1=CHILD)
    met = [(client, day) for client in (1, 2) for day in (3, 10)]
    place.deliver("appointments_2026-11-11.csv", APPOINTMENTS, [held(*each) for each in met])
    place.deliver("responses_2026-11-11.csv", RESPONSES, [row for each in met for row in answered(*each)])
    told = [row.replace("R1", "P1").replace("C1", "U7") for row in answered(1, 3)]
    place.deliver("portal_2026-11-11.csv", RESPONSES, [*told, "P2,U7,srs,client,2026-11-10T10:50,99,7"])
    night(place, 11)
    born(place, "clients", 12, C1=ADULT, C2=CHILD)
    night(place, 12)
    return place


@pytest.fixture
def place(two_nights, tmp_path):
    return two_nights.copied_to(tmp_path / "clinic")


def link(place: Place, lines: str) -> None:
    (place.folder / "links.csv").write_text(lines)


def born(place: Place, name: str, day: int, **dates: str) -> None:
    rows = [f"{client},{on},female" for client, on in dates.items()]
    place.deliver(f"{name}_2026-11-{day}.csv", "client_id,birth_date,sex", rows)


def night(place: Place, day: int) -> None:
    place.night(f"2026-11-{day}T12:00", but_for_finished_tables)


def order_of(place: Place):
    return place_change(place.clinic, place.warehouse)


def follows(place: Place) -> bool:
    verdict = verify(order_of(place))
    assert verdict.is_equal, (verdict.wrong_tables, verdict.wrong_books)
    return True


def ages(place: Place) -> list[tuple]:
    return place.ask("SELECT age_band, count(*) FROM sessions GROUP BY ALL ORDER BY ALL")


def test_a_birth_date_that_another_source_decides_moves_the_tables_that_night(place):
    """Nothing that the source says of the client changed: its export is the newest, and has one client more."""
    assert len(ages(place)) == 2
    born(place, "register", 13, C1=CHILD, C3=CHILD)
    night(place, 13)
    assert len(ages(place)) == 1
    assert follows(place)


def test_a_restoration_takes_the_birth_dates_of_its_load(place):
    restore.restore(order_of(place), 1)
    assert len(ages(place)) == 1
    assert follows(place)
    night(place, 13)
    assert len(ages(place)) == 2
    assert follows(place)


def test_links_that_come_and_go_with_birth_dates_on_either_side(place):
    link(place, LINK)
    night(place, 13)
    assert place.ask("SELECT count(DISTINCT client_id) FROM responses") == [(2,)]
    assert follows(place)
    restore.restore(order_of(place), 1)  # of before the link, which is made again
    assert place.ask("SELECT count(DISTINCT client_id) FROM responses") == [(2,)]
    assert follows(place)
    link(place, NO_LINK)
    restore.restore(order_of(place), 3)  # of after it, which is withdrawn
    assert place.ask("SELECT count(DISTINCT client_id) FROM responses") == [(3,)]
    assert follows(place)


def test_a_restoration_after_a_person_was_taken_out_counts_them_nowhere(place):
    forget(order_of(place), find_person(order_of(place), "clinic", "C1", None))
    assert follows(place)
    restore.restore(order_of(place), 1)
    assert place.ask("SELECT sum(client_count) FROM therapists") == [(1,)]
    assert follows(place)
    forget(order_of(place), find_person(order_of(place), "clinic", "C2", date(2026, 11, 5)))
    restore.restore(order_of(place), 2)
    assert follows(place)


def test_a_restoration_follows_definitions_that_have_changed_since(place, monkeypatch):
    real = transforms.fingerprints
    monkeypatch.setattr(transforms, "fingerprints", lambda *facts: {**real(*facts), "alliance": "of the new version"})
    spoil(place, 1, "UPDATE main.alliance SET score = 0")
    restore.restore(order_of(place), 1)
    assert place.ask("SELECT count(*) FILTER (score = 0) FROM alliance") == [(0,)]
    assert follows(place)


def spoil(place: Place, load_id: int, sql: str) -> None:
    version = writable(kept_versions(place.published)[load_id - 1])
    open_file(version, place.folder).execute(sql).close()


def test_after_a_compaction_and_a_discard_it_verifies(place):
    compact(order_of(place))
    assert follows(place)
    discard(order_of(place), [1])
    assert follows(place)


def test_a_kill_between_two_links_alarms_nobody(place):
    crosswalk = place.warehouse / "private/crosswalk.parquet"
    crosswalk.unlink()
    crosswalk.symlink_to(kept_versions(crosswalk)[0].relative_to(crosswalk.parent))
    assert follows(place)


def test_a_backfill_verifies_after_its_last_month(place):
    arguments = ["--exports", str(place.exports), "--clinic", str(place.clinic), "--warehouse", str(place.warehouse)]
    place.deliver("appointments_2026-12-11.csv", APPOINTMENTS, [held(1, 24)])
    born(place, "clients", 30, C1=CHILD)
    assert backfill.main([*arguments, "--as-of", "2026-12-12T03:00"]) == 0
    assert place.ask("SELECT count(*) FROM load.loads") == [(4,)]
    assert follows(place)


@pytest.mark.parametrize(
    "spoilt",
    ["UPDATE main.scores SET score = score + 1", "UPDATE main.therapists SET client_count = 99",
     "INSERT INTO main.clients SELECT * REPLACE (uuid() AS client_id) FROM main.clients LIMIT 1"],
)  # fmt: skip
def test_the_advice_ends_the_alarm(place, capsys, spoilt):
    spoil(place, 2, spoilt)
    common = ["--clinic", str(place.clinic), "--warehouse", str(place.warehouse)]
    assert main(common) == 1
    advice = re.search(r"rapport restore (--version \d+)\.", capsys.readouterr().out)[1]
    assert restore.main([*common, *shlex.split(advice)]) == 0
    assert main(common) == 0


def test_books_that_are_wrong_are_no_reason_to_derive_tables_anew(place, capsys):
    spoil(place, 2, "UPDATE load.files SET loaded_count = loaded_count + 1")
    common = ["--clinic", str(place.clinic), "--warehouse", str(place.warehouse)]
    assert main(common) == 1
    said = capsys.readouterr().out
    assert "publish an older load whose books are right" in said and "compute every table again" not in said
    assert restore.main([*common, "--version", "1"]) == 0
    assert main(common) == 0

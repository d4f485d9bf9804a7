"""The safe file: what is in it, when its figures change, and who can open it."""

import shutil
import stat
from dataclasses import replace

import duckdb
import pytest

from rapport.dashboards.questions import load_questions
from rapport.flows.ops.forget import find_person, forget
from rapport.flows.ops.restore import restore
from rapport.flows.order import place_change
from rapport.flows.steps.make_safe_file import make_safe_file
from rapport.warehouse.clinic_file.clinic import read_clinic
from rapport.warehouse.errors import Unusable
from tests.clinics.nights import but_for_finished_tables


def asked(place, sql: str) -> list[tuple]:
    with duckdb.connect(str(place.warehouse / "shared/rapport_safe.duckdb"), read_only=True) as con:
        return con.sql(sql).fetchall()


def test_a_night_publishes_a_safe_file_of_its_own_load_and_of_closed_months(published):
    told = asked(published, "SELECT load_id, data_to, closed_to::VARCHAR, profile FROM load.current")
    assert told == [*published.ask("SELECT load_id, data_to, '2026-11-01', 'nhs' FROM load.current")]
    link = published.warehouse / "shared/rapport_safe.duckdb"
    assert link.is_symlink() and str(link.readlink()).startswith("versions/")
    assert stat.S_IMODE(link.stat().st_mode) == 0o444


def test_a_clinic_with_few_clients_has_no_figures_and_the_file_says_that_they_are_hidden_or_not_there(published):
    outcomes = dict(asked(published, "SELECT name, outcome FROM load.questions"))
    assert set(outcomes.values()) <= {"hidden", "no_data", "off"} and outcomes
    for name in (name for name, outcome in outcomes.items() if outcome != "off"):
        assert asked(published, f"SELECT count(*) FROM dashboard.{name}") == [(0,)]


def test_the_safe_file_opens_without_the_other_trees(published, tmp_path):
    shutil.copytree(published.warehouse / "shared", tmp_path / "shared", symlinks=True)
    with duckdb.connect(str(tmp_path / "shared/rapport_safe.duckdb"), read_only=True) as con:
        views = con.sql("SELECT count(*) FROM duckdb_views() WHERE NOT internal").fetchone()
        assert views == (0,)
        for (table,) in con.sql("SELECT schema_name || '.' || table_name FROM duckdb_tables()").fetchall():
            con.sql(f"FROM {table}").fetchall()


def made_by(place) -> tuple[int, int, str]:
    """The load of the safe file, the load that made its figures, and the day up to which its months are closed."""
    return asked(place, "SELECT load_id, made_by_load, closed_to::VARCHAR FROM load.current")[0]


def test_figures_stay_as_they_are_until_a_month_closes_whatever_is_published_in_between(yesterday):
    assert made_by(yesterday) == (1, 1, "2026-11-01")
    yesterday.night("2026-11-19T12:00", but_for_finished_tables)
    assert made_by(yesterday) == (2, 1, "2026-11-01")
    order = place_change(yesterday.clinic, yesterday.warehouse)
    forget(order, find_person(order, "clinic", "C1", None))
    assert made_by(yesterday) == (3, 1, "2026-11-01")
    restore(place_change(yesterday.clinic, yesterday.warehouse), 2)
    assert made_by(yesterday) == (4, 4, "2026-11-01")
    yesterday.night("2026-12-01T12:00", but_for_finished_tables)
    assert made_by(yesterday) == (5, 5, "2026-12-01")


def test_a_clinic_file_that_says_another_rule_makes_the_figures_again(yesterday):
    yesterday.clinic.write_text(yesterday.clinic.read_text(encoding="utf-8") + '\n[shared]\nprofile = "cms"\n')
    yesterday.night("2026-11-19T12:00", but_for_finished_tables)
    assert made_by(yesterday) == (2, 2, "2026-11-01")
    assert asked(yesterday, "SELECT profile, least_count FROM load.current") == [("cms", 11)]


@pytest.mark.parametrize("spoiled", [{"query": "SELECT 1 // 'no number' AS n"}, {"derived": {"so_share": "so_cout"}}])
def test_a_question_that_cannot_be_computed_is_said_to_have_failed_and_stops_nothing(yesterday, monkeypatch, spoiled):
    questions = load_questions()
    tonight = [replace(questions["gaps"], **spoiled), questions["staying_past_four"]]
    monkeypatch.setattr(
        "rapport.flows.steps.publish.make_safe_file", lambda load, con, _: make_safe_file(load, con, tonight)
    )
    yesterday.night("2026-11-19T12:00", but_for_finished_tables)
    outcomes = asked(yesterday, "SELECT name, outcome FROM load.questions ORDER BY name")
    assert outcomes == [("gaps", "failed"), ("staying_past_four", "no_data")]


@pytest.mark.parametrize(
    ("said", "refused"),
    [
        ('profile = "none"', "profile = 'none' is not one of nhs, opensafely, cms"),
        ("minimum_clients = 12", "minimum_clients = 12 is less than 20, the least for profile nhs"),
        ("minimum_therapists = 2", "minimum_therapists = 2 is less than 5"),
        ("treshold = 1", "unknown key 'treshold'"),
    ],
)
def test_a_clinic_file_cannot_ask_for_less_than_a_profile_hides(tmp_path, said, refused):
    path = tmp_path / "clinic.toml"
    path.write_text(f'time_zone = "Europe/London"\n[shared]\n{said}\n', encoding="utf-8")
    with pytest.raises(Unusable, match=refused):
        read_clinic(path)

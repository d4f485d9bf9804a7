"""The safe file: what is in it, when its figures change, and who can open it."""

import shutil
import stat

import duckdb


def asked(place, sql: str) -> list[tuple]:
    with duckdb.connect(str(place.warehouse / "shared/rapport-safe.duckdb"), read_only=True) as con:
        return con.sql(sql).fetchall()


def test_a_night_publishes_a_safe_file_of_its_own_load_and_of_closed_months(published):
    told = asked(published, "SELECT load_id, data_to, closed_to::VARCHAR, profile FROM load.current")
    assert told == [*published.ask("SELECT load_id, data_to, '2026-11-01', 'nhs' FROM load.current")]
    link = published.warehouse / "shared/rapport-safe.duckdb"
    assert link.is_symlink() and str(link.readlink()).startswith("versions/")
    assert stat.S_IMODE(link.stat().st_mode) == 0o444


def test_a_clinic_with_few_clients_has_no_figures_and_the_file_says_that_they_are_hidden_or_not_there(published):
    outcomes = dict(asked(published, "SELECT name, outcome FROM load.questions"))
    assert set(outcomes.values()) <= {"hidden", "no_data", "off"} and outcomes
    for name in (name for name, outcome in outcomes.items() if outcome != "off"):
        assert asked(published, f"SELECT count(*) FROM dashboard.{name}") == [(0,)]


def test_the_safe_file_opens_without_the_other_trees(published, tmp_path):
    shutil.copytree(published.warehouse / "shared", tmp_path / "shared", symlinks=True)
    with duckdb.connect(str(tmp_path / "shared/rapport-safe.duckdb"), read_only=True) as con:
        views = con.sql("SELECT count(*) FROM duckdb_views() WHERE NOT internal").fetchone()
        assert views == (0,)
        for (table,) in con.sql("SELECT schema_name || '.' || table_name FROM duckdb_tables()").fetchall():
            con.sql(f"FROM {table}").fetchall()

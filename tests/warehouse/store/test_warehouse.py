"""One night's published file, as an analyst meets it: described, asked, and the same however it was dealt."""

import random
from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from rapport import transforms
from rapport.dashboards.questions import load_questions
from rapport.flows import demo
from rapport.flows.night import night
from rapport.flows.order import place_order
from rapport.flows.private.key import make_key
from rapport.warehouse.store.building_file import in_utc
from rapport.warehouse.store.opening import open_file


@pytest.fixture(scope="module")
def clinic(tmp_path_factory):
    """A small demo clinic's files."""
    folder = tmp_path_factory.mktemp("clinic")
    demo.write(folder, clients=60, nights=3, seed=3, until=date(2026, 11, 20), clean=False, surveys="full")
    return folder


def published(clinic: Path, name: str, **more):
    order = place_order(clinic / "exports", clinic / "clinic.toml", clinic / name, "2026-11-21T03:00", **more)
    order = replace(order, clinic=replace(order.clinic, quarantine_limit=1.0))
    key = make_key(order.folders)
    key.chmod(0o600)
    key.write_text("ab" * 32)
    night(order)
    return in_utc(open_file(order.folders.published, read_only=True))


@pytest.fixture(scope="module")
def con(clinic):
    with published(clinic, "one_bucket", bucket_count=1) as opened:
        yield opened


def test_every_table_view_and_column_says_what_it_means(con):
    bare = con.sql("""
        SELECT schema_name, table_name FROM duckdb_tables() WHERE comment IS NULL
        UNION ALL SELECT schema_name, view_name FROM duckdb_views() WHERE comment IS NULL AND NOT internal
        UNION ALL SELECT schema_name, table_name || '.' || column_name FROM duckdb_columns()
        WHERE comment IS NULL AND NOT internal""").fetchall()
    assert bare == []
    assert con.sql("SELECT count(*) FROM duckdb_columns() WHERE NOT internal").fetchone()[0] > 200


def test_no_zero_has_a_sign(con):
    numbers = """SELECT schema_name || '.' || table_name, column_name FROM duckdb_columns()
        WHERE data_type = 'DOUBLE' AND NOT internal"""
    signed = [
        f"{table}.{column}"
        for table, column in con.sql(numbers).fetchall()
        if con.sql(f"SELECT count(*) FROM {table} WHERE {column} = 0 AND signbit({column})").fetchone()[0]
    ]
    assert signed == []


NOT_IN_THE_DEMO = {"course_against_expected"}  # too few clients


def test_every_question_runs_on_the_demo_and_describes_its_columns(con):
    rows = {}
    for name, asked in load_questions().items():
        relation = con.sql(f"FROM dashboard.{name}")
        assert set(relation.columns) == set(asked.columns)
        rows[name] = relation.fetchone()
    assert {name for name, row in rows.items() if row is None} == NOT_IN_THE_DEMO


@pytest.mark.parametrize("bucket_count", [3, 16])
def test_buckets_and_the_order_of_rows_change_no_table_that_is_made_by_bucket(con, clinic, bucket_count, tmp_path):
    shuffled = shuffle(clinic, tmp_path)
    with published(shuffled, "dealt", bucket_count=bucket_count) as dealt:
        for table in (table for table in transforms.tables() if table.per == "client" or table.partial):
            columns = ", ".join(f"{c.name}::VARCHAR" for c in table.columns if c.type not in ("answers", "given"))
            query = f"SELECT {columns} FROM main.{table.name} ORDER BY ALL"
            assert con.sql(query).fetchall() == dealt.sql(query).fetchall(), table.name


def shuffle(clinic: Path, folder: Path) -> Path:
    """The same clinic, its clients in another order in every file of appointments."""
    (folder / "exports").mkdir()
    for path in sorted((clinic / "exports").iterdir()):
        (folder / "exports" / path.name).write_bytes(path.read_bytes())
    for path in sorted((folder / "exports").glob("appointments_*")):
        header, *rows = path.read_text().splitlines()
        random.Random(path.name).shuffle(rows)
        path.write_text("\n".join([header, *rows]) + "\n")
    (folder / "clinic.toml").write_text((clinic / "clinic.toml").read_text())
    return folder


def test_the_scores_of_the_file_are_those_of_its_item_responses(con):
    again = con.sql("""
        SELECT count(*) FROM scores AS s JOIN (
            SELECT response_id, round(sum(value), 6) AS total, count(*) AS answered
            FROM item_responses GROUP BY response_id) USING (response_id)
        WHERE s.scale = 'total' AND s.instrument NOT IN ('gbo', 'myts')  -- their totals are means
            AND s.score IS DISTINCT FROM CASE WHEN answered = s.item_count THEN total END""")
    assert again.fetchone() == (0,)
    assert con.sql("SELECT count(score) FROM scores").fetchone()[0] > 1000


def test_sessions_are_the_attended_appointments(con):
    assert (
        con.sql("SELECT count(*) FROM sessions").fetchone()
        == con.sql("SELECT count(*) FROM appointments WHERE status = 'attended'").fetchone()
    )


def test_the_age_band_of_most_sessions_is_known(con):
    """Birth dates reach the tables from the private tree: once they joined nothing, and no age was left."""
    known = con.sql("SELECT count(age_band) / count(*), count(DISTINCT age_band) FROM sessions").fetchone()
    assert known[0] > 0.9
    assert known[1] >= 3


def test_a_frame_of_the_file_needs_no_arrow_library(con):
    assert isinstance(pl.DataFrame(con.sql("SELECT client_id, starts_at FROM sessions LIMIT 3")), pl.DataFrame)

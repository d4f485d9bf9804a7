"""A person's own: everything that is held of one person, readable, and of nobody else."""

import stat

import duckdb
import polars as pl

from rapport.flows.ops import person
from rapport.warehouse.history.person_rows import columns, tables
from tests.flows.private.test_forget import BORN, ids_of, order_of, place, pseudonym, two_nights  # noqa: F401  fixtures


def asked(at, out, client: str = "C1") -> list[str]:
    common = ["--clinic", str(at.clinic), "--warehouse", str(at.warehouse)]
    return [*common, "--space", "clinic", "--client", client, "--out", str(out)]


def test_the_report_holds_every_row_that_names_the_person_and_nobody_else_s(place, tmp_path, capsys):  # noqa: F811
    own, other = pseudonym(place), pseudonym(place, "C2")
    out = tmp_path / "report"
    assert person.main(asked(place, out)) == 0
    assert "It names the person" in capsys.readouterr().out
    told = {path.stem: pl.read_csv(path, infer_schema=False) for path in out.glob("*.csv")}
    with duckdb.connect(str(place.published), read_only=True) as con:
        for table in tables(con):
            if "client_id" in columns(con, table):
                count = con.sql(f"SELECT count(*) FROM {table} WHERE client_id = '{own}'").fetchone()[0]
                assert (told[table].height if table in told else 0) >= count, table
    written = {path.name: path.read_text().replace("-", "") for path in out.iterdir()}
    assert all(own in text for name, text in written.items() if name != "load.quarantine.csv")
    assert not [name for name, text in written.items() if other in text]
    assert BORN.replace("-", "") in written["person.html"] and "C1" in written["person.html"]
    assert told["history.appointments"].height == 6
    assert stat.S_IMODE(out.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in out.iterdir()} == {0o600}


def test_the_books_note_that_a_report_was_made_and_not_of_whom(place, tmp_path):  # noqa: F811
    person.main(asked(place, tmp_path / "report"))
    place.night("2026-11-14T12:00")
    assert place.ask("SELECT load_id, made_at IS NOT NULL FROM load.person_reports") == [(3, True)]
    assert place.ask("SELECT column_name FROM duckdb_columns() WHERE table_name = 'person_reports'") == [
        ("load_id",),
        ("made_at",),
    ]
    assert not order_of(place).folders.person_reports.exists()


def test_it_is_refused_where_others_read_or_where_something_is(place, tmp_path, capsys):  # noqa: F811
    for out, why in (
        (place.warehouse / "shared/report", "in a folder that other users read"),
        (tmp_path, "exists already"),
    ):
        assert person.main(asked(place, out)) == 2
        assert why in capsys.readouterr().err
    assert person.main(asked(place, tmp_path / "report", "C99")) == 2
    assert "no client with this number" in capsys.readouterr().err
    assert not (tmp_path / "report").exists()


def test_its_tables_run_nothing_in_a_spreadsheet_and_keep_their_numbers():
    rows = pl.DataFrame({"number": ["=1+1", "-2+cmd"], "change": ["-3.5", None]})
    assert person.as_csv(rows) == "number,change\n'=1+1,-3.5\n'-2+cmd,\n"

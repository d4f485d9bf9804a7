"""The newest file, as analysts open it: locked, and with what the README names."""

import io
import re

import pytest

from rapport.flows.ops.query import main
from rapport.warehouse.published.page_answers import open_locked, result_text
from tests.clinics.nights import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM read_csv('{file}')",
        "COPY clients TO '{file}.csv'",
        "ATTACH '{file}' AS other",
        "INSTALL httpfs",
        "SET enable_external_access = true",
        "CREATE TABLE kept AS FROM clients",
        "DELETE FROM clients",
        "SELECT 'six'::INTEGER FROM clients",
    ],
)
def test_a_locked_file_answers_questions_and_does_nothing_else(published, query):
    with open_locked(published.published) as con:
        assert "│      6 │" in result_text(con, "SELECT count(*) AS people FROM clients")
        assert re.match(r"\w[\w ]*Error", result_text(con, query.format(file=published.clinic)))
    assert not published.clinic.with_suffix(".toml.csv").exists()


def test_queries_are_read_from_standard_input_up_to_a_semicolon(published, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO("SELECT count(*)\nAS people FROM clients;\nSELECT no;\nSELECT 1"))
    assert main(["--warehouse", str(published.warehouse)]) == 0
    said = capsys.readouterr().out
    assert said.startswith("Load 1, read-only.")
    assert "people" in said
    assert "Binder Error" in said
    assert main(["--warehouse", str(published.warehouse), "--sql", "SELECT 41 + 1 AS answer"]) == 0
    assert "42" in capsys.readouterr().out


def test_before_the_first_night_there_is_nothing_to_ask(tmp_path, capsys):
    assert main(["--warehouse", str(tmp_path)]) == 2
    assert "has published nothing yet" in capsys.readouterr().err


def test_the_uri_for_superset_opens_the_file_read_only(published):
    from sqlalchemy import create_engine, text  # noqa: PLC0415

    uri = re.search(r"`(duckdb:////\S+)`", README)[1].replace("/PATH", str(published.warehouse))
    engine = create_engine(uri)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT current_setting('access_mode')")).scalar() == "read_only"
        assert connection.execute(text("SELECT count(*) FROM clients")).scalar() == 6
    engine.dispose()

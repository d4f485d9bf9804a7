"""How a warehouse file stores what it holds: texts packed, whoever began the file, plain or encrypted."""

import duckdb
import pytest

from rapport.warehouse.store import encryption
from rapport.warehouse.store.building_file import open_file

WORDS = "SELECT (['client', 'caregiver', 'therapist'])[1 + (hash(i) % 3)::INTEGER] AS rater FROM range(100_000) AS t(i)"


def how_texts_are_stored(path, scratch, statement):
    with open_file(path, scratch) as con:
        con.execute(statement)
        con.execute("CHECKPOINT")
        query = "SELECT DISTINCT compression FROM pragma_storage_info('words') WHERE segment_type = 'VARCHAR'"
        return {kind for (kind,) in con.sql(query).fetchall()}


@pytest.mark.parametrize("key", [None, "key-of-a-test-" + "5e" * 16])
def test_texts_are_packed_with_and_without_a_key(tmp_path, monkeypatch, key):
    if key:
        monkeypatch.setenv(encryption.KEY, key)
    path = tmp_path / "rapport.duckdb"
    assert how_texts_are_stored(path, tmp_path, f"CREATE TABLE words AS {WORDS}") == {"DICT_FSST"}


def test_a_file_that_an_older_rapport_began_packs_texts_from_now_on(tmp_path):
    path = tmp_path / "rapport.duckdb"
    with duckdb.connect(str(path), config={"storage_compatibility_version": "v1.0.0"}) as con:
        con.execute(f"CREATE TABLE words AS {WORDS}")
    made = how_texts_are_stored(path, tmp_path, f"CREATE OR REPLACE TABLE words AS {WORDS}")
    assert made == {"DICT_FSST"}
    with duckdb.connect(str(path), read_only=True) as con:
        assert con.sql("SELECT count(*) FROM words").fetchone() == (100_000,)

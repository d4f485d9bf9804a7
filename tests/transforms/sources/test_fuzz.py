"""Damaged files of every format: rows whose records add up, or one error of Rapport's. `make soak` damages more."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, seed, settings

from rapport.warehouse.errors import Refused
from tests.breaking.damage import FORMATS, STRANGE, SURVEY, damaged, read_all, survey_as_parquet, survey_as_xlsx

TIMES = 50
KEPT = settings(max_examples=TIMES, deadline=None, database=None, suppress_health_check=list(HealthCheck))


def expect_rows_or_refusal(name: str, data: bytes) -> bool:
    """Whether it was refused. Nothing else may happen: another exception, records that vanish, a silent nothing."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "export"
        path.write_bytes(data)
        try:
            records, blank, used = read_all(name, path)
        except Refused as refused:
            assert "\n" not in str(refused)
            return True
    assert 0 <= used <= records - blank
    assert records or len(data.split()) <= 1 or len([line for line in data.splitlines() if line.strip()]) <= 3
    return False


def damage_files(name: str, times: int, number: int) -> int:
    """Damage a format's file so many times; how many of them were refused."""
    refused = []

    @seed(number)
    @settings(KEPT, max_examples=times)
    @given(damaged(FORMATS[name][1]))
    def each(data: bytes) -> None:
        refused.append(expect_rows_or_refusal(name, data))

    each()
    return sum(refused)


@pytest.mark.parametrize("name", FORMATS)
def test_a_whole_file_is_read(name, tmp_path):
    (tmp_path / "export").write_bytes(FORMATS[name][1])
    records, blank, used = read_all(name, tmp_path / "export")
    assert 0 < used <= records - blank


@pytest.mark.parametrize("name", FORMATS)
def test_a_damaged_file_is_read_so_that_its_records_add_up_or_is_refused(name):
    assert damage_files(name, TIMES, 7) < TIMES


def test_parquet_with_a_wrong_byte_anywhere_is_read_or_refused():
    """polars panicked on some of these, and others ended its process."""
    _, data = FORMATS["Parquet"]
    spoiled = [data[:at] + b"\xff" + data[at + 1 :] for at in range(0, len(data), 21)]
    refused = [expect_rows_or_refusal("Parquet", each) for each in spoiled]
    assert 0 < sum(refused) < len(refused)


@pytest.mark.parametrize(("name", "write"), [("XLSX", survey_as_xlsx), ("Parquet", survey_as_parquet)])
@pytest.mark.parametrize("cell", ["c2", "15/02/2026 10:00", "2.5", "id"])
def test_a_strange_value_in_a_workbook_or_parquet_is_read_or_refused(name, write, cell):
    """In FORMATS these are packed, so that damage meets no value of theirs."""
    assert cell in SURVEY
    refused = [expect_rows_or_refusal(name, write(SURVEY.replace(cell, value, 1))) for value in STRANGE]
    assert sum(refused) == (len(STRANGE) if cell == "id" else 0)  # a value is its record's fault, a name the file's

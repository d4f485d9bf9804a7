"""Bytes become a table of text with exact counts, or are refused with the reason."""

import io
import tempfile
import zipfile
from decimal import Decimal
from pathlib import Path

import duckdb
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapport.transforms.sources.opening import record_ends
from rapport.transforms.sources.opening.record_ends import cells
from rapport.transforms.sources.opening.spreadsheets import BEYOND
from rapport.transforms.sources.opening.tables import open_table


def opened(data: bytes, *columns: str, encoding: str = "utf-8", chunk: int = 1 << 20):
    """Rows with their record numbers, and the counts: header, records, blank ones."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "export.csv"
        path.write_bytes(data)
        table = open_table(path, encoding, chunk)
        table.need(list(columns or table.header))
        rows = [row for frame in table.chunks for row in frame.iter_rows()]
        return rows, (table.header_count, table.record_count, table.blank_count)


PLAIN = b"a,b\n1,x\n2,y\n"


@pytest.mark.parametrize(
    "data",
    [
        PLAIN,
        b"\xef\xbb\xbf" + PLAIN,
        PLAIN.replace(b"\n", b"\r\n"),
        PLAIN.rstrip(b"\n"),
        b' a ,"b"\n"1","x"\n"2","y"\n',
        PLAIN.replace(b",", b";"),
        PLAIN.replace(b",", b"\t"),
        PLAIN.replace(b",", b"|"),
        PLAIN.replace(b",", b"^"),
    ],
    ids=["LF", "BOM", "CRLF", "no last line end", "quotes", "semicolon", "tab", "bar", "caret"],
)
def test_one_table_in_any_of_the_usual_dresses_is_one_table(data):
    assert opened(data) == ([(1, "1", "x"), (2, "2", "y")], (1, 2, 0))


@pytest.mark.parametrize(("data", "encoding"), [("utf-16", "utf-16"), ("cp1252", "windows-1252")])
def test_an_encoding_that_the_clinic_file_declares_is_read(data, encoding):
    assert opened("a,b\n1,Zoë – x\n".encode(data), encoding=encoding)[0] == [(1, "1", "Zoë – x")]


def test_blank_lines_are_counted_and_are_no_rows_but_keep_their_record_number():
    data = b'a,b\r\n1,x\r\n\r\n,\r\n"",""\r\n2,y\r\n\r\n\r\n'
    assert opened(data) == ([(1, "1", "x"), (5, "2", "y")], (1, 7, 5))


def test_a_value_may_hold_line_feeds_quotes_and_separators():
    assert opened(b'a,b\n1,"x\r\n""y"", z\n"\n2,\n')[0] == [(1, "1", 'x\r\n"y", z\n'), (2, "2", None)]


def test_only_the_columns_that_are_needed_leave_the_door():
    assert opened(b"name,a,note\nMs Smith,1,secret\n", "a")[0] == [(1, "1")]


def test_short_records_count_as_many_cells_as_the_header_and_line_feeds_between_quotes_count_none():
    assert cells(b"1\n2\n3\n", 100) == 300
    assert cells(b'1,"a\nb\n\nc"\n2,"""\n"\n', 100) == 200
    assert cells(b"", 100) == 0


@pytest.mark.parametrize("cells", [4, 8, 100])
def test_a_table_that_is_parsed_in_parts_is_the_same_table(monkeypatch, cells):
    data = b'a,b\n1,"x\ny"\n\n2,\n3,"""\n"\n4,z\n'
    whole = opened(data)
    monkeypatch.setattr(record_ends, "CELLS", cells)
    assert opened(data) == whole == ([(1, "1", "x\ny"), (3, "2", None), (4, "3", '"\n'), (5, "4", "z")], (1, 5, 1))


CELL = st.text(alphabet='ab1é\n\r",; \x1f', max_size=5)


@settings(max_examples=60)
@given(
    rows=st.lists(st.tuples(CELL, CELL), max_size=5),
    line_end=st.sampled_from(["\n", "\r\n"]),
    mark=st.sampled_from([b"", b"\xef\xbb\xbf"]),
    chunk=st.integers(1, 80),
)
def test_wherever_the_chunks_are_cut_the_table_and_its_counts_are_the_same(rows, line_end, mark, chunk):
    quoted = [['"' + cell.replace('"', '""') + '"' for cell in row] for row in [("first", "second"), *rows]]
    data = mark + "".join(",".join(row) + line_end for row in quoted).encode()
    expected = [(n, *row) for n, row in enumerate(rows, start=1) if any(row)]
    whole, counts = opened(data)
    assert [tuple(value or "" if n else value for n, value in enumerate(row)) for row in whole] == expected
    assert counts == (1, len(rows), len(rows) - len(expected))
    assert opened(data, chunk=chunk) == (whole, counts)


def test_every_cut_of_a_small_file_gives_the_same_table():
    data = '\ufeffa,b\r\n1,"x\r\ny"\r\n\r\n2,"é ""q"""\r\n'.encode()
    found = [opened(data, chunk=size) for size in range(1, len(data) + 2)]
    assert found == [([(1, "1", "x\r\ny"), (3, "2", 'é "q"')], (1, 3, 1))] * len(found)


@pytest.mark.parametrize("data", [b"\n", b"\r\n", b"\n\n"])
def test_a_file_of_line_feeds_alone_is_an_export_without_records_and_without_a_header(data):
    assert opened(data)[0] == []


def parquet(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()


def test_parquet_becomes_text_as_a_csv_would_with_its_instants_in_utc():
    at = pl.Series(["2026-03-02 09:00"]).str.to_datetime().dt.replace_time_zone("America/Chicago")
    data = parquet(pl.DataFrame({"id": [7], "at": at, "on": pl.Series(["2026-03-02"]).str.to_date(), "value": [0.5]}))
    rows, counts = opened(data, "id", "at", "on", "value")
    assert rows == [(1, "2026-03-02T15:00:00.000000Z", "7", "2026-03-02", "0.5")]
    assert counts == (0, 1, 0)


@pytest.mark.parametrize("written", ["'infinity'::TIMESTAMP", "TIMESTAMP '290000-01-01'", "'-infinity'::DATE"])
def test_a_time_of_parquet_beyond_the_years_1_to_9999_is_one_cell_that_nobody_can_read(tmp_path, written):
    """polars panics where it must write one."""
    path = tmp_path / "export.parquet"
    kind = "DATE" if "DATE" in written else "TIMESTAMP"
    told = f"SELECT unnest([1, 2]) AS id, unnest([{written}, {kind} '2026-03-02']) AS at, INTERVAL 3 DAY AS lasted"
    duckdb.sql(f"COPY ({told}) TO '{path}' (FORMAT parquet)")
    rows, _ = opened(path.read_bytes(), "id", "at", "lasted")
    assert [row[1] for row in rows] == [BEYOND, "2026-03-02" if kind == "DATE" else "2026-03-02 00:00:00.000000"]
    assert [row[2:] for row in rows] == [("1", "3 days"), ("2", "3 days")]


def test_parquet_in_an_archive_is_the_same_and_keeps_the_order_of_its_rows():
    data = parquet(pl.DataFrame({"id": range(5000), "fee": [Decimal("80.50")] * 5000, "who": ["é"] * 5000}))
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("export.parquet", data)
    rows, counts = opened(archive.getvalue())
    assert (rows, counts) == opened(data)
    assert counts == (0, 5000, 0)
    assert [row[0] for row in rows] == list(range(1, 5001))
    assert rows[4999] == (5000, "80.50", "4999", "é")  # columns by name

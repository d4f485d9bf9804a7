"""Files that are refused: one sentence with the reason and what to do, and never a value of the file."""

import re

import pytest

from rapport.transforms.sources.opening.tables import open_table
from rapport.warehouse.errors import Refused

SECRET = "Smith"
GOOD = "client_id,note\n1,Smith\n2,Smith\n"
REFUSED = {
    "empty": (b"", "is empty"),
    "a web page": (b"\n <!DOCTYPE html><p>Smith</p>", "web page"),
    "a web page with a byte order mark": (b"\xef\xbb\xbf<HTML><p>Smith</p>", "web page"),
    "a PDF": (b"%PDF-1.7 Smith", "is a PDF"),
    "a damaged archive": (b"PK\x03\x04 Smith", "an archive that is damaged, truncated or locked"),
    "a damaged old workbook": (b"\xd0\xcf\x11\xe0 Smith", "damaged, locked or truncated"),
    "JSON": (b' [{"client_id": "Smith"}]', "is JSON, not a table"),
    "UTF-16 without a mark that nobody declared": (GOOD.encode("utf-16-le"), 'encoding = "utf-16"'),
    "windows-1252 that nobody declared": (GOOD.replace("2,", "2,\x96").encode("latin-1"), 'encoding = "windows-1252"'),
    "windows-1252 in the header": ("clïent_id,note\n1,Smith\n".encode("cp1252"), 'encoding = "windows-1252"'),
    "too many values": (GOOD.replace("2,Smith", "2,Smith,Smith").encode(), "3 values in record 2; its header has 2"),
    "cut inside a quoted value": (GOOD.encode() + b'3,"Smi', "inside a quoted value"),
    "cut inside a record": (GOOD.encode() + b"Smith", r"inside a record \(1 of 2 values\)"),
    "cut inside a record after a quoted line feed": (GOOD.encode() + b'"Smith\nSmith"', r"inside a record \(1 of 2"),
    "damaged Parquet": (b"PAR1 Smith", "damaged or truncated"),
    "a header that is not the first line": (b"\n" + GOOD.encode(), "first line must be the header"),
    "no such column": (b"id,note\n1,Smith\n", "has no column 'client_id'; export it, or correct clinic.toml"),
    "the column twice": (b"client_id,client_id,note\n1,2,Smith\n", "has the column 'client_id' 2 times"),
}


def refusal(path, data: bytes, encoding: str = "utf-8", chunk: int = 1 << 20) -> str:
    path.write_bytes(data)
    with pytest.raises(Refused) as refused:
        table = open_table(path, encoding, chunk)
        table.need(["client_id"])
        list(table.chunks)
    return refused.value.told


@pytest.mark.parametrize("chunk", [7, 1 << 20])
@pytest.mark.parametrize(("data", "reason"), REFUSED.values(), ids=REFUSED)
def test_a_file_that_is_no_table_is_refused_with_the_reason_and_without_a_value(tmp_path, data, reason, chunk):
    told = refusal(tmp_path / "export.csv", data, chunk=chunk)
    assert re.search(reason, told)
    assert SECRET not in told


@pytest.mark.parametrize(
    ("data", "encoding"), [(GOOD.encode(), "utf-16"), (GOOD.encode() + b"3,\x81\n", "windows-1252")]
)
def test_a_file_that_is_not_in_the_encoding_declared_is_refused(tmp_path, data, encoding):
    assert f"is not text in {encoding}" in refusal(tmp_path / "export.csv", data, encoding)


def test_what_is_no_file_and_what_is_not_there_is_refused(tmp_path):
    with pytest.raises(Refused, match="is no file but a device, a pipe or a folder"):
        open_table(tmp_path)
    with pytest.raises(Refused, match="is not there"):
        open_table(tmp_path / "taken_away.csv")


def test_a_refusal_names_the_file_to_the_terminal_and_not_to_the_log():
    refused = Refused("is empty").of("file 12ab (surveys*.csv)", "surveys Jane Smith.csv")
    assert (str(refused), refused.told) == ("file 12ab (surveys*.csv) is empty", "surveys Jane Smith.csv is empty")

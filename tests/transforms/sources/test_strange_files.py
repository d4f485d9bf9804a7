"""A file that would take more memory than there is for it, an archive that is damaged, a device: refused by name."""

import io
import os
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import polars as pl
import pytest

from rapport.flows.ops.erasure_requests import waiting
from rapport.transforms.sources.drafting import recognition
from rapport.transforms.sources.opening.apart import read_apart
from rapport.transforms.sources.opening.content import Content, content_of
from rapport.warehouse.clinic_file.client_links import read_client_links
from rapport.warehouse.clinic_file.clinic import read_clinic
from rapport.warehouse.clinic_file.id_spaces import NO_SPACES
from rapport.warehouse.clinic_file.memory import LEAST, memory_of, usual_memory
from rapport.warehouse.clinic_file.monitoring import read_monitoring
from rapport.warehouse.errors import Refused, Unusable
from rapport.warehouse.instruments import read_instrument
from rapport.warehouse.instruments.t_scores import read_t_scores
from rapport.warehouse.places.folders import Folders
from tests.breaking.damage import FORMATS
from tests.clinics.reading import Reading
from tests.clinics.spreadsheets import xlsx
from tests.transforms.sources.test_fuzz import expect_rows_or_refusal

METHODS = {"stored": zipfile.ZIP_STORED, "deflated": zipfile.ZIP_DEFLATED, "bzip2": zipfile.ZIP_BZIP2}
METHODS["LZMA"] = zipfile.ZIP_LZMA
MEMORY = 'memory = "64 MiB"\n'
A_MILLION = 1_000_000


def packed(pieces: Iterator[bytes], name: str = "export.csv", method: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive, archive.open(name, "w") as member:
        for piece in pieces:
            member.write(piece)
    return made.getvalue()


@pytest.mark.parametrize("method", METHODS)
def test_a_damaged_member_of_an_archive_is_refused_wherever_the_damage_is(method):
    """Only deflated ones were: what the other methods raise is not zlib's, and a damaged directory raised anything."""
    data = packed([FORMATS["plain"][1]], method=METHODS[method])
    places = {*range(0, len(data), 7), *range(len(data) - 90, len(data))}
    changed = (data[:at] + byte + data[at + 1 :] for at in places for byte in (b"\xff", b"\0"))
    refused = [expect_rows_or_refusal("plain", each) for each in changed]
    assert 0.5 < sum(refused) / len(refused) < 1


def stray(cell: str) -> bytes:
    """A workbook of two rows, and one cell far from them."""
    made, whole = io.BytesIO(), zipfile.ZipFile(io.BytesIO(xlsx(One=[["id", "when"], ["c1", "2026-03-02"]])))
    row = cell.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    far = f'<row r="{row}"><c r="{cell}"><v>1</v></c></row></sheetData>'
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in whole.namelist():
            archive.writestr(name, whole.read(name).replace(b"</sheetData>", far.encode()))
    return made.getvalue()


def long_run() -> bytes:
    """Parquet of the same long text many times: some kilobytes."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "run.parquet"
        duckdb.sql(f"COPY (SELECT repeat('x', 999) AS id FROM range({A_MILLION // 4})) TO '{path}' (FORMAT parquet)")
        return path.read_bytes()


def section(kind: str, more: str = "") -> str:
    return f'[sources.it]\nformat = "{kind}"\nfiles = "*"\n{more}'


APPOINTMENTS, RESPONSES = (section("plain", f'records = "{each}"\n') for each in ("appointments", "responses"))
WIDE = section("wide", 'client_id = "id"\ncompleted_at = "when"\ninstrument = "srs"\nrater = "client"\n')
WIDE += 'items = ["a", "b", "c", "d"]\n'
BOOKED = b"appointment_id,client_id,starts_at,status,note\n"
ANSWERED = b"response_id,client_id,instrument,rater,completed_at,item,value\n"
EAV = "record,field_name,value\n"
BOMBS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "a table in a ZIP": (APPOINTMENTS, lambda: packed([BOOKED, *[b"1,1,,," + b"x" * A_MILLION + b"\n"] * 70])),
    "short records under a wide header": (
        WIDE,
        lambda: b"id,when,a,b,c,d" + b"".join(b",c%d" % n for n in range(5000)) + b"\n1" * 20_000,
    ),
    "responses, which are gathered": (RESPONSES, lambda: ANSWERED + b"1,1,srs,client,,1,1\n" * (A_MILLION // 2)),
    "an EAV export, which is gathered": (
        section("redcap", 'forms.srs = { instrument = "srs", rater = "client", items = ["a", "b", "c", "d"] }\n'),
        lambda: EAV.encode() + b"1,a,1\n" * (3 * A_MILLION // 2),
    ),
    "one value of many objects": (
        section("fhir"),
        lambda: packed([b'{"resourceType":"Bundle","entry":[', b"{}," * A_MILLION, b"{}]}"]),
    ),
    "a line of many lists": (
        section("cliniko"),
        lambda: packed([b'{"starts_at":""}\n{"starts_at":[', b"[]," * A_MILLION, b"[]]}\n"]),
    ),
    "HL7 messages": (section("hl7_siu"), lambda: packed([b"MSH|^~\\&|||||||SIU^S12\rSCH|1\r" * 100_000])),
    "a workbook with a stray cell": (WIDE, lambda: stray("XFD1048576")),
    "a workbook with a stray cell in a ZIP": (WIDE, lambda: packed([stray("XFD1048576")], "book.xlsx")),
    "a workbook that is larger unpacked": (
        WIDE,
        lambda: packed([b" " * A_MILLION] * 70, "xl/workbook.xml"),
    ),
    "Parquet with a long run": (WIDE, long_run),
}


@pytest.mark.parametrize("name", BOMBS)
def test_what_takes_more_than_the_memory_for_reading_is_refused_and_says_how_to_raise_it(tmp_path, name):
    clinic, made = BOMBS[name]
    data = made()
    assert len(data) < 13 * A_MILLION
    with pytest.raises(Refused, match=r"64 MiB, the memory for reading.* raise memory in clinic\.toml"):
        Reading(tmp_path, MEMORY + clinic, data, "it")


def test_a_file_that_is_too_large_as_it_lies_there_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "export.csv"
    path.touch()
    os.truncate(path, 1 << 43)  # a sparse file: hashing it would take hours
    with pytest.raises(Refused, match="holds more than"):
        content_of(path)


def test_after_a_workbook_that_ended_its_reader_the_next_is_read(tmp_path):
    table = xlsx(One=[["id", "when", "a", "b", "c", "d"], ["c1", "2026-03-02T10:00", 1, 2, 3, 4]])
    for data, rows in ((stray("XFD1048576"), 0), (table, 1), (stray("AA9999"), 0), (table, 1)):
        try:
            found = Reading(tmp_path, WIDE, data, "it").rows("responses").height
        except Refused:
            found = 0
        assert found == rows


def breaks(content: Content) -> pl.DataFrame:
    raise KeyError(content.path.name)


def test_a_fault_of_our_own_in_the_reader_apart_is_no_fault_of_the_file(tmp_path):
    with pytest.raises(RuntimeError, match="KeyError while a file was read apart"):
        read_apart(breaks, Content(tmp_path / "a name", None, b"", LEAST))


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def pipe(path: Path) -> None:
    os.mkfifo(path)


def nothing(path: Path) -> None:
    path.symlink_to("gone")


def folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (device, "is no file but a device, a pipe or a folder"),
        (pipe, "is no file but a device, a pipe or a folder"),
        (nothing, "is not there: it is a link to nothing"),
        (folder, "is no file but a device, a pipe or a folder"),
    ],
)
def test_what_is_no_file_is_never_read(tmp_path, make, said):
    """Of a link to /dev/zero 22 GB were read; a pipe waits for ever."""
    make(tmp_path / "export")
    with pytest.raises(Refused) as refused:
        recognition.recognise(tmp_path / "export", {})
    assert said in str(refused.value)


@pytest.mark.parametrize("make", [device, pipe])
def test_what_a_person_writes_is_no_device_either(tmp_path, make):
    """A clinic file that was a link to /dev/zero took all memory, with a link to a pipe a command never ended."""
    folders = Folders(tmp_path)
    folders.erasure_requests.parent.mkdir(parents=True)
    make(path := folders.erasure_requests)
    reads = {
        "client_links file forget.csv": lambda: read_client_links(path, NO_SPACES),
        "t_scores file forget.csv": lambda: read_t_scores(path, {}),
        "private/forget.csv": lambda: waiting(folders),
        "clinic file forget.csv": lambda: read_clinic(path),
        "instrument file forget.csv": lambda: read_instrument(path),
    }
    assert read_monitoring(path).on_failure == ()
    for name, read in reads.items():
        with pytest.raises((ValueError, Unusable), match=rf"^{name} is not a file but a .*device or a pipe; \w+"):
            read()


def test_a_request_of_erasure_that_is_no_table_is_told_without_its_words(tmp_path):
    folders = Folders(tmp_path)
    folders.erasure_requests.parent.mkdir(parents=True)
    folders.erasure_requests.write_text('space,client,since\n"' + "x" * (65 << 20))
    with pytest.raises(Unusable, match=r"^private/forget\.csv is above 64 MB"):
        waiting(folders)


@pytest.mark.parametrize(
    ("text", "bytes_"),
    [("64 MiB", 64 << 20), ("4 GB", 4 * 10**9), ("4GiB", 4 << 30), ("2000 MB", 2 * 10**9)],
)
def test_memory_is_an_amount(text, bytes_):
    assert memory_of("memory", text) == bytes_


@pytest.mark.parametrize("text", ["4", "4 gigs", "63 MiB", "-4 GB", "٤ GB", "4.5 GB", "9999999 GB"])
def test_any_other_is_refused_with_its_key(tmp_path, text):
    (tmp_path / "clinic.toml").write_text(f'time_zone = "UTC"\nmemory = "{text}"\n', encoding="utf-8")
    with pytest.raises(Unusable, match=f"memory = '{text}' is not an amount of memory from 64 MiB up, such as '4 GiB'"):
        read_clinic(tmp_path / "clinic.toml")


def test_without_it_a_quarter_of_the_machine_s_is_used_and_at_least_one_gib(tmp_path, monkeypatch):
    (tmp_path / "clinic.toml").write_text('time_zone = "UTC"\n', encoding="utf-8")
    for pages, expected in ((8 << 20, 8 << 30), (1 << 18, 1 << 30)):  # of 4 KiB: 32 GiB, 1 GiB
        monkeypatch.setattr(os, "sysconf", {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": pages}.get)
        assert usual_memory() == expected
        assert {source.memory for source in read_clinic(tmp_path / "clinic.toml").sources} == {expected}

"""Small exports of every format, and damage: bytes cut and swapped, columns dropped and doubled, encodings changed; and
values that no cast expects, where a word or a number stood."""

import io
import json
import re
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
from hypothesis import strategies as st

from rapport.transforms.sources import open_delivery, read
from rapport.transforms.sources.canonical.tallies import Tallies
from rapport.warehouse.clinic_file.clinic import Clinic, read_clinic
from tests.clinics.reading import AS_OF
from tests.clinics.spreadsheets import xlsx
from tests.transforms.sources.test_fhir import ANSWERS, BOOKED, LOG, NINE, answered
from tests.transforms.sources.test_redcap import EAV
from tests.transforms.sources.test_systems import ATTENDANCE, CLINIKO, MONKEY, MONKEY_ITEMS, OPENEMR, QUALTRICS, WEEKLY
from tests.transforms.sources.test_systems import LOG as MESSAGES

ITEMS = 'instrument = "srs"\nrater = "client"\nitems = {}\n'
WIDE = (
    f'format = "wide"\nclient_id = "id"\ncompleted_at = "when"\ndates = "decide"\n{ITEMS.format(["a", "b", "c", "d"])}'
)
APPOINTMENTS = "appointment_id,client_id,starts_at,status,therapist_id,site\n" + "".join(
    f'A{n},00{n % 3},2026-03-{n + 1:02d}T10:00,{"attended" if n % 2 else "no_show"},T1,"North, \n{n}"\n'
    for n in range(8)
)
SURVEY = "id,when,a,b,c,d,note\n" + "".join(f'c{n},{n + 13}/02/2026 10:00,1,2.5,{n},9,"é ""{n}"""\n' for n in range(8))
LONG = "response_id,client_id,instrument,rater,completed_at,item,value\n" + "".join(
    f"r{n // 4},c{n // 4},srs,client,2026-03-02 10:00,{n % 4 + 1},{n % 10}\n" for n in range(16)
)
FLAT = "record_id,redcap_repeat_instrument,redcap_repeat_instance,srs_timestamp,srs_1,srs_2,srs_3,srs_4,srs_complete\n"
FLAT += "".join(f"{n},srs,{n},2026-03-02 10:00:0{n},1,2, -3,4,2\n" for n in range(6))
REDCAP = f'format = "redcap"\nforms.srs = {{ {ITEMS.format(["srs_1", "srs_2", "srs_3", "srs_4"]).strip()} }}\n'
REDCAP = REDCAP.replace("\nrater", ", rater").replace("\nitems", ", items")
FHIR = f'format = "fhir"\nforms.phq9 = {{ instrument = "phq9", rater = "client", items = {NINE} }}\n'
RESOURCES = [*BOOKED, answered("r1", ANSWERS), *LOG]


def survey_as_parquet(text: str = SURVEY) -> bytes:
    made = io.BytesIO()
    pl.read_csv(text.encode(), infer_schema=text == SURVEY).write_parquet(made)
    return made.getvalue()


def survey_as_xlsx(text: str = SURVEY) -> bytes:
    return xlsx(One=[line.split(",") for line in text.splitlines()])


def _php(spec: str) -> str:
    return '"' + spec.replace('"', '""') + '"'


FORMATS = {  # name -> its section of clinic.toml, a small export
    "plain": ('format = "plain"\nrecords = "appointments"\n', APPOINTMENTS.encode()),
    "plain responses": ('format = "plain"\nrecords = "responses"\n', LONG.encode()),
    "table": ('format = "table"\nrecords = "appointments"\nfooters = ["Total"]\n', APPOINTMENTS.encode("utf-16")),
    "wide": (WIDE, SURVEY.encode()),
    "XLSX": (WIDE, survey_as_xlsx()),
    "Parquet": (WIDE, survey_as_parquet()),
    "REDCap": (REDCAP, FLAT.encode()),
    "REDCap EAV": (REDCAP, EAV.replace(" | ", ",").replace("|", ",").strip().encode()),
    "Qualtrics": (
        f'format = "qualtrics"\nclient_id = "ExternalReference"\n{ITEMS.format(["Q1_1", "QID1_2", "Q1_3", "Q1_4"])}',
        QUALTRICS.encode(),
    ),
    "SurveyMonkey": (
        f'format = "surveymonkey"\nclient_id = "Custom Data 1"\n{ITEMS.format(MONKEY_ITEMS)}',
        MONKEY.encode(),
    ),
    "SimplePractice": ('format = "simplepractice"\n', ATTENDANCE.encode()),
    "FHIR NDJSON": (FHIR, "\n".join(map(json.dumps, RESOURCES)).encode()),
    "FHIR Bundle": (
        FHIR,
        json.dumps({"resourceType": "Bundle", "entry": [{"resource": each} for each in RESOURCES]}, indent=1).encode(),
    ),
    "Cliniko": ('format = "cliniko"\n', json.dumps({"individual_appointments": CLINIKO}).encode()),
    "OpenEMR": (
        'format = "openemr"\n',
        (
            OPENEMR + f"5,12,7,2026-02-23,2026-03-20,10:00:00,3000,1,{_php(WEEKLY)},-\n6,12,7,2026-03-02,,10:00,,,,@\n"
        ).encode(),
    ),
    "HL7": ('format = "hl7_siu"\n', MESSAGES.encode()),
}


@cache
def clinic_of(name: str) -> Clinic:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "clinic.toml"
        section = FORMATS[name][0].replace("'", '"')
        path.write_text(f'time_zone = "America/Chicago"\n[sources.it]\nfiles = "*"\n{section}', encoding="utf-8")
        return read_clinic(path)


def read_all(name: str, path: Path) -> tuple[int, int, int]:
    """A file's records, how many of them are blank, and how many rows were made of. Raises what reading it does."""
    clinic = clinic_of(name)
    (source,) = clinic.sources
    opened = open_delivery(path, source)
    told = [
        frame for _, frame in read(opened, source, Tallies(AS_OF, clinic.lists, clinic.instruments)) if frame.height
    ]
    once = [frame.select("record_number", "record_count") for frame in told]
    used = pl.concat(once).group_by("record_number").max()["record_count"].sum() if once else 0
    return opened.record_count, opened.blank_count, used


STRANGE = [  # beyond what a type holds, in digits of other scripts, half of a character, a name of Rapport's own
    *("9999-12-31T23:59", "0001-01-01T00:00", "0000-00-00 00:00:00", "31/12/9999 23:59", "2026-03-02T10:00:00-99:99"),
    *("٢٠٢٦-١١-١٩ ١٠:٥٠", "19/١١/2026", "2026-03-02T10:00:00+٠٦:٠٠", "٥", "²", "99991231235959"),
    *("10000000000", "1e308", "1e-400", "9" * 400, "NaN", "Infinity", "1_000", "-1"),
    *("\\ud800", "\ufffd", "\u202e", "*", "^a$", "record_number", "record_count", "client_id"),
]
_WORD = re.compile(rb"[A-Za-z0-9_.:/+-]+(?: [0-9:]+)?")
CODECS = ("utf-8", "cp1252", "mac_roman", "utf-16", "utf-8-sig")


def _columns(data: bytes, place: int, *, is_doubled: bool) -> bytes:
    """One column of a text dropped, or doubled."""
    lines = [line.split(b",") for line in data.split(b"\n")]
    for cells in lines:
        if place < len(cells):
            cells[place : place + 1] = [cells[place]] * 2 if is_doubled else []
    return b"\n".join(map(b",".join, lines))


@st.composite
def damaged(draw: st.DrawFn, data: bytes) -> bytes:
    """The export with one to three kinds of damage."""
    for _ in range(draw(st.integers(1, 3))):
        size = max(len(data), 1)
        place, other = draw(st.integers(0, size)), draw(st.integers(0, size))
        kind = draw(st.sampled_from(["cut", "end", "swap", "put", "drop", "double", "encoding", "lines", "strange"]))
        if kind == "cut":
            data = data[: min(place, other)] + data[max(place, other) :]
        elif kind == "end":
            data = data[:place]
        elif kind == "swap" and place < len(data) and other < len(data):
            changed = bytearray(data)
            changed[place], changed[other] = changed[other], changed[place]
            data = bytes(changed)
        elif kind == "put":
            data = data[:place] + draw(st.binary(min_size=1, max_size=8)) + data[place:]
        elif kind in ("drop", "double"):
            data = _columns(data, draw(st.integers(0, 9)), is_doubled=kind == "double")
        elif kind == "encoding":
            text = data.decode(draw(st.sampled_from(CODECS)), errors="ignore")
            data = text.encode(draw(st.sampled_from(CODECS)), errors="replace")
        elif kind == "strange" and (words := list(_WORD.finditer(data))):
            start, end = words[place % len(words)].span()
            data = data[:start] + draw(st.sampled_from(STRANGE)).encode() + data[end:]
        elif kind == "lines":
            data = data.replace(b"\n", draw(st.sampled_from([b"\r\n", b"\r", b"", b"\n\n"])))
    return data

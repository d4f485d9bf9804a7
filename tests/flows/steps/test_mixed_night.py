"""A whole night on a folder of five formats from three systems for the same clients, joined by client_links.csv.

The practice system (practice) writes a spreadsheet of appointments and a CSV of clients; the portal (portal) a FHIR
bulk export and a zipped wide CSV; the surveys (surveys) a Qualtrics TSV in UTF-16 and a REDCap EAV export.
"""

import io
import json
import zipfile

import pytest

from tests.clinics.nights import but_for_finished_tables, open_place
from tests.clinics.spreadsheets import xlsx
from tests.transforms.sources.test_fhir import ANSWERS, NINE, answered

CLINIC = f"""\
time_zone = "America/Chicago"
licences = ["srs", "ors"]
client_links = "client_links.csv"

[sources.diary]
preset = "theranest"
files = "diary_%Y-%m-%d.xlsx"
id_space = "practice"
columns = {{ appointment_id = "Ref", client_id = "Client", starts_at = "Start", status = ["State", "By"] }}

[sources.clients]
files = "clients_%Y-%m-%d.csv"
id_space = "practice"

[sources.portal]
format = "fhir"
files = "portal_%Y-%m-%d.ndjson"
id_space = "portal"
forms.phq9 = {{ instrument = "phq9", rater = "client", items = {json.dumps(NINE)} }}

[sources.app]
format = "wide"
files = "app_%Y-%m-%d.zip"
id_space = "portal"
client_id = "user"
completed_at = "when"
instrument = "ors"
rater = "client"
range = [0, 100]
items = ["a", "b", "c", "d"]

[sources.quality]
format = "qualtrics"
files = "quality_%Y-%m-%d.tsv"
id_space = "surveys"
client_id = "ExternalReference"
instrument = "srs"
rater = "client"
items = ["Q1", "Q2", "Q3", "Q4"]

[sources.research]
format = "redcap"
files = "research_%Y-%m-%d.csv"
id_space = "surveys"
forms.gad7 = {{ instrument = "gad7", rater = "client", items = {json.dumps([f"gad7_{n}" for n in range(1, 8)])} }}
"""
LINKS = "practice,0012,portal,p-1\npractice,0012,surveys,12\npractice,13,surveys,13\n"  # not: portal 13


def qualtrics() -> bytes:
    names = ["EndDate", "Status", "Finished", "ResponseId", "ExternalReference", "Q1", "Q2", "Q3", "Q4"]
    imports = ["endDate", "status", "finished", "_recordId", "externalDataReference", "QID1", "QID2", "QID3", "QID4"]
    rows = [
        ["2026-03-02 16:55:00", "0", "1", "R_1", "12", "9", "9", "8", "9"],
        ["2026-03-02 16:55:00", "1", "1", "R_2", "12", "1", "1", "1", "1"],  # a preview
    ]
    ids = ["{" + f'""ImportId"":""{each}""' + "}" for each in imports]
    told = [names, names, [f'"{each}"' for each in ids], *rows]
    return "\n".join("\t".join(row) for row in told).encode("utf-16")


def zipped(text: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("app.csv", text)
    return made.getvalue()


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    place = open_place(tmp_path_factory.mktemp("mixed") / "clinic", CLINIC)
    (place.folder / "client_links.csv").write_text(LINKS)
    booked = [["1", "0012", "2026-03-02 10:00", "Kept", ""], ["2", "13", "2026-03-02 11:00", "Canceled", "Provider"]]
    booked += [["3", "13", "2026-03-09 11:00", "Kept", ""], ["4", "13", "2026-03-16 11:00", "Upcoming", ""]]
    place.drop("diary_2026-03-10.xlsx", xlsx(Diary=[["Ref", "Client", "Start", "State", "By"], *booked]))
    place.deliver("clients_2026-03-10.csv", "client_id,birth_date", ["0012,2001-02-03", "13,1990-01-01"])
    when = {"authored": "2026-03-02T16:50:00Z", "encounter": None}
    portal = [answered("r1", ANSWERS, subject={"reference": "Patient/p-1"}, **when)]
    portal += [answered("r2", ANSWERS, subject={"reference": "Patient/13"}, **when)]
    place.drop("portal_2026-03-10.ndjson", "\n".join(map(json.dumps, portal)).encode())
    place.drop("app_2026-03-10.zip", zipped("user;when;a;b;c;d\np-1;2026-03-02 09:00;40;55;60;72\n"))
    place.drop("quality_2026-03-10.tsv", qualtrics())
    eav = [f"13,gad7_{n},{n % 4}" for n in range(1, 8)]
    place.deliver("research_2026-03-10.csv", "record,field_name,value", [*eav, "13,gad7_timestamp,2026-03-09 11:00:00"])
    place.night("2026-03-10T12:00", but_for_finished_tables)
    return place


def test_records_of_three_systems_are_one_clients_where_they_are_linked(night):
    found = night.ask("""
        SELECT session_date::VARCHAR, list_sort(list(DISTINCT instrument)), count(DISTINCT s.client_id)
        FROM sessions AS s JOIN responses USING (session_id) GROUP BY ALL ORDER BY ALL""")
    assert found == [("2026-03-02", ["ors", "phq9", "srs"], 1), ("2026-03-09", ["gad7"], 1)]


def test_the_same_id_in_two_spaces_that_are_not_linked_stays_two_clients(night):
    assert night.ask("SELECT count(*) FROM clients") == [(3,)]
    unmatched = "SELECT instrument, count(*) FROM responses WHERE session_id IS NULL GROUP BY ALL"
    assert night.ask(unmatched) == [("phq9", 1)]


def test_every_join_and_every_record_of_every_format_is_in_the_books(night):
    assert night.ask("SELECT id_space, count(*) FROM load.client_links GROUP BY ALL ORDER BY ALL") == [
        ("portal", 1),
        ("surveys", 2),
    ]
    books = """SELECT source, record_count, header_count, ignored_count, quarantined_count, loaded_count
        FROM load.files ORDER BY source"""
    assert night.ask(books) == [
        ("app", 2, 1, 0, 0, 1),
        ("clients", 3, 1, 0, 0, 2),
        ("diary", 5, 1, 0, 0, 4),
        ("portal", 2, 0, 0, 0, 2),
        ("quality", 5, 3, 1, 0, 1),
        ("research", 9, 1, 0, 0, 8),
    ]


def test_answers_are_on_their_questionnaires_scale_whatever_the_export_wrote(night):
    scores = "SELECT instrument, round(score, 1) FROM scores WHERE scale = 'total' ORDER BY ALL"
    assert night.ask(scores) == [("gad7", 12.0), ("ors", 22.7), ("phq9", 13.0), ("phq9", 13.0), ("srs", 35.0)]

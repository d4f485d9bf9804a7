"""Clocks and bounds: days that look like midnights, times in two columns, lengths in words, times that cannot be."""

from datetime import UTC, date, datetime

import polars as pl
import pytest

from rapport.transforms.sources import open_delivery, read
from rapport.transforms.sources.canonical.casts import MINUTE, SECOND, Dialect, duration
from rapport.transforms.sources.speed.line_by_line import Lines, NotByLine
from rapport.warehouse.clinic_file.clinic import read_clinic
from rapport.warehouse.schema.records import OUT_OF_TIME, held_by
from tests.clinics.few_tables import few_tables
from tests.clinics.nights import APPOINTMENTS, but_for_finished_tables, open_place
from tests.clinics.reading import AS_OF, Reading
from tests.clinics.spreadsheets import xlsx

TABLE = """
[sources.it]
format = "table"
records = "appointments"
files = "*"
dates = "{dates}"
columns = {{ client_id = "Client", starts_at = {starts_at}, status = "State" }}
status.words = {{ Held = "attended" }}
"""
PLAIN = '[sources.it]\nformat = "plain"\nrecords = "{}"\nfiles = "*"\n'
SURVEY = """
[sources.it]
format = "wide"
files = "*"
client_id = "Client"
instrument = "srs"
rater = "client"
completed_at = "When"
items = ["a", "b", "c", "d"]
"""


def starts(tmp_path, times: list[str], dates: str = "decide") -> list[str | None]:
    """The local starts of appointments whose export writes them so."""
    data = "Client,When,State\n" + "".join(f"{n},{when},Held\n" for n, when in enumerate(times))
    return shown(Reading(tmp_path, TABLE.format(dates=dates, starts_at='"When"'), data.encode(), "it"))


def shown(found: Reading) -> list[str | None]:
    return [at and f"{at:%Y-%m-%d %H:%M:%S}" for at in found.rows("appointments")["starts_local"].to_list()]


@pytest.mark.parametrize(
    "written",
    [
        "2026-01-0{}T00:00:00Z",
        "2026-01-0{}T00:00:00.000Z",
        "2026-01-0{} 00:00",
        "2026-01-0{}T00:00:00-06:00",
        "2026-01-0{}T06:00:00Z",  # midnight on Chicago's wall clock
        "1/{}/2026 0:00",
        "1/{}/2026 12:00 AM",
        "1/{}/2026",
    ],
)
def test_a_column_of_midnights_is_a_column_of_days_and_an_appointment_of_a_day_is_at_midday(tmp_path, written):
    days = starts(tmp_path, [written.format(5), written.format(6)], "month_first")
    assert days == ["2026-01-05 12:00:00", "2026-01-06 12:00:00"]


def test_one_time_that_is_no_midnight_makes_times_of_all(tmp_path):
    times = ["2026-01-05T00:00:00", "2026-01-06T09:30:00"]
    assert starts(tmp_path, times) == ["2026-01-05 00:00:00", "2026-01-06 09:30:00"]


def test_what_is_no_time_does_not_decide(tmp_path):
    times = ["2026-01-05T00:00:00Z", "", "soon", "2026-01-06"]
    assert starts(tmp_path, times) == ["2026-01-05 12:00:00", None, None, "2026-01-06 12:00:00"]


MIDNIGHTS = {
    "plain appointments": (
        PLAIN.format("appointments"),
        "appointment_id,client_id,starts_at,status\nA,1,{},attended\n",
        ("appointments", "starts_local", datetime(2026, 1, 5, 12)),
    ),
    "plain responses": (
        PLAIN.format("responses"),
        "response_id,client_id,instrument,rater,completed_at,item,value\nR,1,srs,client,{},1,5\n",
        ("responses", "completed_at", None),
    ),
    "wide": (SURVEY, "Client,When,a,b,c,d\n1,{},1,2,3,4\n", ("responses", "completed_at", None)),
    "REDCap": (
        '[sources.it]\nformat = "redcap"\nfiles = "*"\n[sources.it.forms.srs]\ninstrument = "srs"\nrater = "client"\n'
        'items = ["a", "b", "c", "d"]\n',
        "record_id,srs_timestamp,a,b,c,d\n1,{},1,2,3,4\n",
        ("responses", "completed_at", None),
    ),
    "Cliniko": (
        '[sources.it]\nformat = "cliniko"\nfiles = "*"\n',
        '[{{"id": "1", "starts_at": "{}", "patient_arrived": true, "patient": {{"links": {{"self": "p/7"}}}}}}]',
        ("appointments", "starts_local", datetime(2026, 1, 5, 12)),
    ),
    "FHIR": (
        '[sources.it]\nformat = "fhir"\nfiles = "*"\n[sources.it.forms.srs]\ninstrument = "srs"\nrater = "client"\n'
        'items = ["a", "b", "c", "d"]\n',
        '{{"resourceType": "QuestionnaireResponse", "id": "r", "status": "completed", "authored": "{}", '
        '"subject": {{"reference": "Patient/7"}}, "item": [{{"linkId": "a", "answer": [{{"valueInteger": 5}}]}}]}}',
        ("responses", "completed_at", None),
    ),
}


@pytest.mark.parametrize("name", MIDNIGHTS)
@pytest.mark.parametrize("written", ["2026-01-05T00:00:00Z", "2026-01-05T06:00:00Z"])
def test_every_reader_takes_a_column_of_midnights_for_days(tmp_path, name, written):
    clinic, data, (kind, column, expected) = MIDNIGHTS[name]
    rows = Reading(tmp_path, clinic, data.format(written).encode(), "it").rows(kind)
    assert (rows[column].to_list(), rows["unreadable"].to_list()) == ([expected], [None])
    if kind == "responses":
        assert rows["completed_on"].to_list() == [datetime(2026, 1, 5).date()]


def test_a_day_of_an_episode_or_of_birth_that_a_program_wrote_in_utc_is_the_local_day(tmp_path):
    clinic = PLAIN.format("episodes") + 'time_zone = "Europe/Berlin"\n'
    data = "episode_id,client_id,opened_on,closed_on\nE,1,2026-01-04T23:00:00Z,2026-07-04T22:00:00Z\n"
    rows = Reading(tmp_path, clinic, data.encode(), "it").rows("episodes")
    assert rows.select(pl.col("opened_on", "closed_on").cast(pl.String)).rows() == [("2026-01-05", "2026-07-05")]


def test_a_column_of_midnights_is_never_read_by_its_new_lines_alone(tmp_path):
    data = "Client,When,a,b,c,d\n1,{},1,2,3,4\n"
    found = Reading(tmp_path, SURVEY, data.format("2026-01-05T09:00:00").encode(), "it")
    (source,) = read_clinic(tmp_path / "clinic.toml").sources
    for when, fails in (("2026-01-05T09:00:00", False), ("2026-01-05T00:00:00", True)):
        (tmp_path / "export.csv").write_text(data.format(when), encoding="utf-8")
        opened = open_delivery(tmp_path / "export.csv", source)
        opened.lines = Lines(1)
        if fails:
            with pytest.raises(NotByLine):
                list(read(opened, source, found.task))
        else:
            assert len(list(read(opened, source, found.task))) == 1


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (["3/14/2026|5:00 PM", "3/15/2026|9:00 AM"], ["2026-03-14 17:00:00", "2026-03-15 09:00:00"]),
        (["3/14/2026|12:15 am", "3/15/2026|"], ["2026-03-14 00:15:00", "2026-03-15 12:00:00"]),
        (["2026-03-14|5:00 PM", "2026-03-15|17:00"], ["2026-03-14 17:00:00", "2026-03-15 17:00:00"]),
        (["3/14/2026 0:00|5:00 PM"], ["2026-03-14 17:00:00"]),
        (["3/14/2026 12:00:00 AM|12/30/1899 5:00:00 PM"], ["2026-03-14 17:00:00"]),
        (["14.03.2026|17:00 Uhr", "15.03.2026|9:05"], [None, "2026-03-15 09:05:00"]),
    ],
)
def test_a_date_and_a_time_of_day_in_two_columns_are_joined_before_they_are_read(tmp_path, rows, expected):
    data = "Client,Date,Time,State\n" + "".join(f"1,{row.replace('|', ',')},Held\n" for row in rows)
    table = TABLE.format(dates="decide", starts_at='["Date", "Time"]')
    assert shown(Reading(tmp_path, table, data.encode(), "it")) == expected


def test_a_workbook_s_times_are_to_the_second_and_its_date_cells_are_dates(tmp_path):
    noon = datetime(2026, 1, 5, 9, 59, 59, 994_000)
    rows = [["Client", "When", "State"], ["1", noon, "Held"], ["2", datetime(2026, 1, 6), "Held"]]
    table = TABLE.format(dates="decide", starts_at='"When"')
    assert shown(Reading(tmp_path, table, xlsx(a=rows), "it")) == ["2026-01-05 10:00:00", "2026-01-06 12:00:00"]
    rows = [["Client", "When", "a", "b", "c", "d"], ["C1", datetime(2026, 3, 4), "9", "9", "9", "9"]]
    (found,) = Reading(tmp_path, SURVEY, xlsx(a=rows), "it").rows("responses").iter_rows(named=True)
    assert (found["completed_at"], str(found["completed_on"])) == (None, "2026-03-04")


def test_a_workbook_s_date_and_time_of_day_in_two_columns_are_joined(tmp_path):
    rows = [["Client", "Date", "Time", "State"], ["1", datetime(2026, 1, 5), datetime(1899, 12, 31, 17), "Held"]]
    table = TABLE.format(dates="decide", starts_at='["Date", "Time"]')
    assert shown(Reading(tmp_path, table, xlsx(a=rows), "it")) == ["2026-01-05 17:00:00"]


def test_a_hair_below_a_second_is_that_second_in_what_is_exported_from_a_workbook_too(tmp_path):
    assert starts(tmp_path, ["2026-01-05 09:59:59.994000", "2026-01-05 10:00:00.4"]) == ["2026-01-05 10:00:00"] * 2


DURATIONS = {
    "53 mins": 53, "53min": 53, "53 m": 53, "53'": 53, "1h": 60, "1 hr": 60, "1 hour": 60, "1h 30m": 90, "1h30": 90,
    "1 hour, 5 minutes": 65, "1.5 hours": 90, "PT50M": 50, "PT1H30M": 90, "0:50": 50, "00:50:00": 50, "1:30": 90,
    "3000 sec": 50, "50 Minuten": 50, "soon": None, "0:75": None, "h": None, "-5 min": None, "1h 30m 5x": None,
}  # fmt: skip


@pytest.mark.parametrize(("written", "minutes"), DURATIONS.items())
def test_a_length_in_words_or_as_a_clock_is_a_length(tmp_path, written, minutes):
    data = f'appointment_id,client_id,starts_at,status,duration_minutes\nA,1,2026-01-05T09:00,attended,"{written}"\n'
    data += "B,1,2026-01-06T09:00,attended,45\n"
    rows = Reading(tmp_path, PLAIN.format("appointments"), data.encode(), "it").rows("appointments")
    assert rows["duration_minutes"].to_list() == [minutes, 45]
    assert rows["unreadable"].to_list() == [None if minutes else ["duration_minutes"], None]


def test_where_seconds_are_asked_for_a_clock_must_show_hours(tmp_path):
    cells = pl.DataFrame({"took": ["2m 13s", "0:02:13", "2:13", "133"]})
    dialect = Dialect("UTC")
    assert cells.select(duration("took", dialect, SECOND)).to_series().to_list() == [133, 133, None, None]
    assert cells.select(duration("took", dialect, MINUTE)).to_series().to_list()[2] == 133


OUT = {
    "1926-11-02T10:00": True,
    "1970-01-01T00:01": True,
    "2006-03-14T10:00": True,
    "2006-03-16T10:00": False,
    "2028-03-14T10:00": False,
    "2028-03-17T10:00": True,
    "2062-11-09T10:00": True,
}
BOUNDED = {
    "starts_at": ("appointments", "appointment_id,client_id,status,starts_at\nA,1,attended,{}\n"),
    "cancelled_at": (
        "appointments",
        "appointment_id,client_id,status,starts_at,cancelled_at\nA,1,no_show,2026-01-05T10:00,{}\n",
    ),
    "completed_at": (
        "responses",
        "response_id,client_id,instrument,rater,item,value,completed_at\nR,1,srs,client,1,5,{}\n",
    ),
    "opened_on": ("episodes", "episode_id,client_id,opened_on\nE,1,{}\n"),
    "closed_on": ("episodes", "episode_id,client_id,opened_on,closed_on\nE,1,2026-01-05,{}\n"),
}


@pytest.mark.parametrize("column", BOUNDED)
@pytest.mark.parametrize(("written", "is_out"), OUT.items())
def test_a_time_of_a_record_beyond_20_years_back_or_two_ahead_of_its_export_holds_the_record(
    tmp_path, column, written, is_out
):
    kind, data = BOUNDED[column]
    rows = Reading(tmp_path, PLAIN.format(kind), data.format(written).encode(), "it").rows(kind)
    assert rows["unreadable"].to_list() == [[held_by(OUT_OF_TIME, column)] if is_out else None]


def test_the_form_of_a_survey_is_bounded_too_and_by_the_time_of_its_export(tmp_path):
    data = b"Client,When,a,b,c,d\n1,2005-01-05 10:00,1,2,3,4\n"
    assert AS_OF.year == 2026
    for made_at, held in ((None, [held_by(OUT_OF_TIME, "When")]), (datetime(2024, 6, 1, tzinfo=UTC), None)):
        rows = Reading(tmp_path, SURVEY, data, "it", made_at=made_at).rows("responses")
        assert rows["unreadable"].to_list() == [held]


STAMPED = PLAIN.format("appointments") + 'exported_at = "made"\n'


@pytest.mark.parametrize(
    ("stamps", "counts", "is_told"),
    [
        (["2026-03-14T20:00:00Z", "2026-03-14T21:00:00Z"], "2026-03-14 21", False),
        (["2062-03-14T20:00:00Z", "2026-03-14T21:00:00Z"], "2026-03-14 21", True),
        (["2062-03-14T20:00:00Z", "2062-03-14T20:00:00Z"], "None", True),
    ],
)
def test_a_time_of_export_beyond_the_night_s_clock_never_counts_and_is_told(tmp_path, stamps, counts, is_told):
    data = "appointment_id,client_id,starts_at,status,made\n"
    data += "".join(f"A{n},1,2026-03-02T10:00,attended,{at}\n" for n, at in enumerate(stamps))
    tallies = Reading(tmp_path, STAMPED, data.encode(), "it").task
    assert str(tallies.exported_at).startswith(counts)
    assert [told.partition(";")[0] for told in tallies.told] == (
        ["has a time of export after the night's clock in column 'made'"] if is_told else []
    )


def test_after_an_export_of_2062_the_next_one_counts(tmp_path):
    clinic = 'time_zone = "America/Chicago"\nquarantine_limit = 0.9\n' + STAMPED.replace('"*"', '"a*.csv"')
    place = open_place(tmp_path / "clinic", clinic)
    header = f"{APPOINTMENTS},made"
    place.deliver("a1.csv", header, ["A1,C1,2026-11-10T09:00,attended,T1,2062-11-18T22:00"])
    with few_tables():
        first = place.night("2026-11-19T03:00", but_for_finished_tables)
        place.deliver("a2.csv", header, ["A1,C1,2026-11-10T09:00,no_show,T1,2026-11-19T22:00"])
        place.night("2026-11-20T03:00", but_for_finished_tables)
    assert any("source it: file" in told and "after the night's clock" in told for told in first.troubles.warnings)
    assert place.ask("SELECT status FROM appointments") == [("no_show",)]
    assert place.ask("SELECT count(*) FROM load.files WHERE exported_at > '2026-11-21'") == [(0,)]


def test_an_id_that_is_made_of_a_time_does_not_change_with_how_the_time_is_read(tmp_path):
    """Else an upgrade, or the next export of the same record, would make two of one."""
    found = Reading(tmp_path, SURVEY, b"Client,When,a,b,c,d\n1,2026-01-05T00:00:00Z,1,2,3,4\n", "it")
    assert found.rows("responses")["response_id"].to_list() == ["it/1/it/2026-01-05T00:00:00Z"]
    rows = [["Client", "When", "a", "b", "c", "d"], ["1", datetime(2026, 1, 5), "1", "2", "3", "4"]]
    found = Reading(tmp_path, SURVEY, xlsx(a=rows), "it")
    assert found.rows("responses")["response_id"].to_list() == ["it/1/it/2026-01-05 00:00:00"]
    table = TABLE.format(dates="month_first", starts_at='["Date", "Time"]')
    found = Reading(tmp_path, table, b"Client,Date,Time,State\n1,1/5/2026,9:00,Held\n", "it")
    assert found.rows("appointments")["appointment_id"].to_list() == ["it\x1f1\x1f2026-01-05 9:00\x1f0"]


@pytest.mark.parametrize("null", ["1980-01-01 00:00:00", "01/01/1900", "31/12/1899 0:00"])
def test_a_null_word_that_looks_like_a_time_is_no_time_in_a_column_of_either_order(tmp_path, null):
    clinic = SURVEY + f'dates = "decide"\nnulls = ["{null}"]\n'
    data = f"Client,When,a,b,c,d\n1,3/14/2026 10:50,9,9,9,9\n2,{null},9,9,9,9\n"
    found = Reading(tmp_path, clinic, data.encode(), "it").rows("responses")
    assert found.select("client_id", "completed_on", "unreadable").rows() == [
        ("1", date(2026, 3, 14), None), ("2", None, None),
    ]  # fmt: skip

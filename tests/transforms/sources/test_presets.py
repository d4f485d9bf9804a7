"""Known systems' words for attendance, each read from a small file: what became of the appointment, and who says so.

The night is of 2026-03-15 09:00 UTC; every appointment is past unless it says otherwise.
"""

import re
from datetime import UTC, datetime

import pytest

from rapport.warehouse.clinic_file.statuses import statuses_of
from rapport.warehouse.errors import Unusable
from rapport.warehouse.presets import load_presets
from rapport.warehouse.schema.records import RULE_END
from rapport.warehouse.toml_keys.keys import keys_of, read
from tests.clinics.reading import Reading

COLUMNS = 'appointment_id = "No"\nclient_id = "Client"\nstarts_at = "Start"\n'
PAST, AHEAD = "2026-03-10 10:00", "2026-03-20 10:00"

# preset -> its words as an export writes them (several columns: joined by |), and what they mean
ONE_COLUMN = {
    "simplepractice": {
        "Show": "attended",
        " no  show ": "no_show",
        "Cancelled": "cancelled_by_client",
        "Late Cancelled": "late_cancel",
        "Clinician Cancelled": "cancelled_by_clinic",
        "Held": "unknown",
    },
    "jane": {"Booked": "scheduled", "Arrived": "attended", "No Show": "no_show", "Late Cancellation": "late_cancel"},
    "therapyzen": {
        "kept": "attended",
        "no-show": "no_show",
        "late-cancel": "late_cancel",
        "cancel": "cancelled_by_unknown",
    },
    "intakeq": {
        "Confirmed": "attended derived",
        "WaitingConfirmation": "scheduled",
        "Declined": "cancelled_by_clinic",
        "Missed": "no_show",
    },
    "therasoft": {"Cancelled by Counselor": "cancelled_by_clinic", "No Show": "no_show"},
    "therabyte": {"Attended": "attended", "Late Cancellation": "late_cancel", "Non-billable": "not a row"},
    "epic": {"2": "attended", "04": "no_show", "6": "attended derived", "1.0": "scheduled", "9": "unknown"},
    "mhsds": {
        "5": "attended",
        "06": "attended",
        " 7": "no_show",
        "2 ": "cancelled_by_client",
        "4": "cancelled_by_clinic",
    },
}
TWO_COLUMNS = {
    "therapynotes": {
        "Canceled|Charge Fee": "late_cancel",
        "Canceled|": "cancelled_by_client",
        "Missed|Charge Fee": "no_show",
        "|": "attended derived",
        "Rated|": "unknown",
    },
    "theranest": {
        "Kept|": "attended",
        "Canceled|Client": "cancelled_by_client",
        "Canceled|Provider": "cancelled_by_clinic",
        "Canceled|": "cancelled_by_unknown",
        "Rescheduled|Client": "rescheduled",
    },
    "healthie": {"Occurred|": "attended", "Cancelled|organization": "cancelled_by_clinic", "No-Show|": "no_show"},
    "iapt": {"05|Y": "attended", "3|Y": "no_show", "|N": "attended", "4|Y": "cancelled_by_clinic", "9|Y": "unknown"},
}
OTHERWISE = {
    "qualtrics",
    "surveymonkey",
    "simplepractice",
    "cliniko",
    "openemr",
    "hl7_siu",
    "fhir",
}  # formats: they have tests of their own


def became(tmp_path, clinic: str, header: str, rows: list[str], made_at: datetime | None = None) -> list[str]:
    """Each row's status, with its basis where that is not the export's own word."""
    data = "\n".join([header, *rows, ""]).encode()
    found = Reading(tmp_path, f'[sources.practice]\nfiles = "*"\n{clinic}', data, "practice", made_at=made_at)
    told = found.rows("appointments").select("appointment_id", "status", "status_basis", "unreadable").rows()
    by_id = {number: f"{status} {basis}" if basis == "derived" else status for number, status, basis, _ in told}
    by_id |= {number: lost[0].partition(RULE_END)[0] for number, _, _, lost in told if lost}
    return [by_id.get(row.partition(",")[0], "not a row") for row in rows]


@pytest.mark.parametrize("preset", ONE_COLUMN)
def test_a_systems_words_are_known_and_others_are_not_guessed(tmp_path, preset):
    words = ONE_COLUMN[preset]
    rows = [f"{n},c1,{PAST},{word}" for n, word in enumerate(words)]
    clinic = f'preset = "{preset}"\n[sources.practice.columns]\n{COLUMNS}status = "State"'
    assert became(tmp_path, clinic, "No,Client,Start,State", rows) == list(words.values())


@pytest.mark.parametrize("preset", TWO_COLUMNS)
def test_two_columns_may_decide_together(tmp_path, preset):
    words = TWO_COLUMNS[preset]
    rows = [f"{n},c1,{PAST},{word.replace('|', ',')}" for n, word in enumerate(words)]
    clinic = f'preset = "{preset}"\n[sources.practice.columns]\n{COLUMNS}status = ["State", "Who"]'
    assert became(tmp_path, clinic, "No,Client,Start,State,Who", rows) == list(words.values())


def test_a_system_with_two_columns_of_which_a_clinic_has_one_is_read_as_far_as_that_says(tmp_path):
    clinic = f'preset = "theranest"\n[sources.practice.columns]\n{COLUMNS}status = "State"'
    rows = [f"{n},c1,{PAST},{word}" for n, word in enumerate(("Kept", "Canceled", "Cancel"))]
    assert became(tmp_path, clinic, "No,Client,Start,State", rows) == ["attended", "cancelled_by_unknown", "unknown"]


def test_the_clinic_says_what_a_cancellation_by_nobody_in_particular_counts_as_and_its_words_win(tmp_path):
    clinic = f"""preset = "jane"
        [sources.practice.columns]
        {COLUMNS}status = "State"
        [sources.practice.status]
        cancelled_by = "client"
        words = {{ "arrived" = "no_show", "Moved" = "rescheduled" }}"""
    rows = [f"{n},c1,{PAST},{word}" for n, word in enumerate(("Cancelled", "Arrived", "Moved", "Booked"))]
    expected = ["cancelled_by_client", "no_show", "rescheduled", "scheduled"]
    assert became(tmp_path, clinic, "No,Client,Start,State", rows) == expected


def test_what_nobody_could_know_when_the_export_was_made_is_scheduled_until_a_later_export_says_more(tmp_path):
    clinic = f'preset = "simplepractice"\n[sources.practice.columns]\n{COLUMNS}status = "State"'
    rows = [f"0,c1,{PAST},Show", f"1,c1,{AHEAD},Show", f"2,c1,{AHEAD},Cancelled", f"3,c1,{PAST},Cancelled"]
    early = became(tmp_path, clinic, "No,Client,Start,State", rows, datetime(2026, 3, 1, tzinfo=UTC))
    assert early == ["scheduled derived", "scheduled derived", "scheduled derived", "cancelled_by_client"]
    late = became(tmp_path, clinic, "No,Client,Start,State", rows, datetime(2026, 3, 14, tzinfo=UTC))
    assert late[0] == "attended"


def test_every_preset_says_what_it_was_checked_against_and_its_words_have_a_meaning():
    presets = load_presets()
    for preset in presets.values():
        assert len(preset.checked_against) > 10
        if "status" in preset.section:
            assert statuses_of(preset.name, read(preset.name, preset.section["status"], keys_of("status"))).words
    surveys = {name for name, preset in presets.items() if preset.section["format"] == "wide"}
    tested = ONE_COLUMN.keys() | TWO_COLUMNS.keys() | OTHERWISE | surveys
    assert not presets.keys() - tested, "add the preset's words to ONE_COLUMN or TWO_COLUMNS in this file"
    assert not tested - presets.keys(), "write warehouse/presets/<system>.toml, or take the preset from this file"


SURVEYS = {  # an export of each survey tool, and the ids and times that it tells
    "google_forms": (
        '"Who\nare you?",Timestamp,One,Two,Three,Four\nc1,8/7/2020 12:02,1,2,3,4\nc1,13/07/2020 10:07:32,4,3,2,1\n',
        [None, "2020-07-08T17:02:00+00:00", None, "2020-07-13T15:07:32+00:00"],
    ),
    "microsoft_forms": (
        "ID,Start time,Completion time,Email,Name,Who are you?,One,Two,Three,Four\n"
        "1,x,10/19/2024 11:02,anonymous,,c1,1,2,3,4\n2,x,10/9/24 18:01,anonymous,,c1,4,3,2,1\n",
        ["1", "2024-10-19T16:02:00+00:00", "2", "2024-10-09T23:01:00+00:00"],
    ),
    "typeform": (
        "#,Who are you?,One,Two,Three,Four,Other,Other,Submit Date (UTC),Network ID\n"
        "0a1b,c1,1,2,3,4,,,29-12-2018 23:46,n\n0c1d,c1,4,3,2,1,,,2-12-2018 23:46,n\n",
        ["0a1b", "2018-12-29T23:46:00+00:00", "0c1d", "2018-12-02T23:46:00+00:00"],
    ),
    "limesurvey": (
        '\ufeff"id","submitdate","lastpage","Who are you?","One","Two","Three","Four"\r\n'
        '"1","2026-01-02 10:00:00","3","c1","1","2","3","4"\r\n"2","","2","c1","4","N/A","2","1"\r\n\r\n',
        ["1", "2026-01-02T16:00:00+00:00", "2", None],
    ),
    "kobo": (
        '"who/Who are you?";"who/One";"Two";"Three";"Four";"_uuid";"_submission_time"\n'
        '"c1";"1";"2";"3";"4";"u1";"2026-01-02T10:00:00"\n"c1";"4";"3";"2";"1";"u2";"2026-01-03T10:00:00"\n',
        ["u1", "2026-01-02T10:00:00+00:00", "u2", "2026-01-03T10:00:00+00:00"],
    ),
    "odk": (
        "SubmissionDate,who-Who are you?,One,Two,Three,Four,KEY,ReviewState\n"
        '2026-01-02T10:00:00.123Z,"\nc1",1,2,3,4,uuid:1,\n2026-01-03T10:00:00.000Z,c1,4,3,2,1,uuid:2,\n',
        ["uuid:1", "2026-01-02T10:00:00+00:00", "uuid:2", "2026-01-03T10:00:00+00:00"],
    ),
}


@pytest.mark.parametrize("preset", SURVEYS)
def test_a_survey_tools_own_columns_say_which_response_it_is_and_when(tmp_path, preset):
    data, expected = SURVEYS[preset]
    prefix = {"kobo": "who/", "odk": "who-"}.get(preset, "")
    first = "who/One" if preset == "kobo" else "One"
    clinic = f"""
        [sources.survey]
        preset = "{preset}"
        files = "*"
        client_id = "{prefix}Who are you?"
        instrument = "srs"
        rater = "client"
        items = ["{first}", "Two", "Three", "Four"]
        """
    rows = Reading(tmp_path, clinic, data.encode(), "survey").rows("responses")
    assert rows["client_id"].to_list() == ["c1", "c1"]
    ids = [None if "/" in made else made for made in rows["response_id"]]
    times = [at and at.isoformat() for at in rows["completed_at"]]
    assert [part for pair in zip(ids, times, strict=True) for part in pair] == expected
    assert rows["answers"].to_list()[0] == [1, 2, 3, 4]
    assert rows["is_partial"].to_list() == ([False, True] if preset == "limesurvey" else [None, None])


WITHOUT = """
[sources.survey]
preset = "limesurvey"
without = {}
files = "*"
client_id = "who"
completed_at = "when"
instrument = "srs"
rater = "client"
items = ["a", "b", "c", "d"]
"""


def test_a_key_of_a_preset_can_be_taken_away(tmp_path):
    """Before: a survey without LimeSurvey's `submitdate` or `id` could not be read with its preset."""
    data = "who,when,a,b,c,d\nC1,2026-03-02 10:00,1,2,3,4\n"
    rows = Reading(tmp_path, WITHOUT.format('["finished", "response_id"]'), data.encode(), "survey").rows("responses")
    assert rows["is_partial"].to_list() == [None]
    assert rows["answers"].to_list() == [[1, 2, 3, 4]]


@pytest.mark.parametrize(
    ("section", "said"),
    [
        (
            WITHOUT.format('["sheet"]'),
            "without = 'sheet' is not one of dates, response_id, completed_at, finished, nulls",
        ),
        (WITHOUT.format('"finished"'), "'without' must be a list of texts"),
        (WITHOUT.format('["nulls"]').replace('preset = "limesurvey"', 'format = "wide"'), "'without' and no preset"),
    ],
)
def test_what_a_preset_has_not_cannot_be_taken_away(tmp_path, section, said):
    with pytest.raises(Unusable, match=re.escape(said)):
        Reading(tmp_path, section, b"", "survey")

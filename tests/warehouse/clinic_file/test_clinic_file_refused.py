"""A clinic file that cannot be right is refused with the key and what to do."""

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import duckdb
import polars as pl
import pytest

from rapport.warehouse.clinic_file.clinic import read_clinic
from rapport.warehouse.clinic_file.schedule import read_schedule
from rapport.warehouse.errors import Unusable
from rapport.warehouse.toml_keys.kinds import regions

ZONE = 'time_zone = "America/Chicago"\n'
SOURCE = """
[sources.surveys]
format = "redcap"
files = "surveys_*.csv"
"""
FORM = """
[sources.surveys.forms.srs]
instrument = "srs"
rater = "client"
items = ["s1", "s2", "s3", "s4"]
"""
TABLE = """
[sources.diary]
format = "table"
records = "appointments"
files = "diary_*.csv"
"""
WIDE = """
[sources.wave]
format = "wide"
files = "wave*.csv"
instrument = "srs"
rater = "client"
client_id = "id"
items = ["s1", "s2", "s3", "s4"]
"""


def refusal(tmp_path, text: str) -> str:
    with pytest.raises(Unusable) as refused:
        (tmp_path / "clinic.toml").write_text(text, encoding="utf-8")
        read_clinic(tmp_path / "clinic.toml")
    assert str(refused.value).startswith("clinic file clinic.toml")
    return str(refused.value)


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ('time_zon = "UTC"\n', "the file has the unknown key 'time_zon'; did you mean 'time_zone'?"),
        (ZONE + SOURCE + 'fromat = "x"', r"\[sources.surveys\] has the unknown key 'fromat'; did you mean 'format'?"),
        (ZONE + SOURCE + FORM + 'ratter = "x"', r"\[sources.surveys.forms.srs\] .* 'ratter'; did you mean 'rater'?"),
        (ZONE + WIDE + 'complete_at = "x"', r"\[sources.wave\] .* 'complete_at'; did you mean 'completed_at'?"),
        (ZONE + '[lists]\nservices = ["a"]', r"\[lists\] .* 'services'; did you mean 'service'?"),
        (
            ZONE + SOURCE + '[sources.surveys.clients]\nbirthdate = "b"',
            "clients.* 'birthdate'; did you mean 'birth_date'?",
        ),
        (
            ZONE + "[keep]\nyears_after_close = 9",
            r"\[keep\] .* 'years_after_close'; did you mean 'years_after_closing'?",
        ),
        (ZONE + "zzz = 1", "the unknown key 'zzz'; known keys are accepted, alliance_sd"),
    ],
)
def test_of_a_misspelled_key_the_near_one_is_suggested(tmp_path, text, near):
    assert re.search(near.replace("?", r"\?"), refusal(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "has no key 'time_zone'; add it, for example time_zone = \"America/Chicago\""),
        (
            ZONE + "[keep]\nyears_after_closing = 0",
            r"\[keep\]: 'years_after_closing' must be a whole number of years, from 1 to 100",
        ),
        (
            ZONE + "[keep]\nyears_after_closing = 101",
            "'years_after_closing' must be a whole number of years, from 1 to 100",
        ),
        (ZONE + "[keep]\nyears_after_closing = 2.5", "'years_after_closing' must be a whole number"),
        ('time_zone = "Chicago"', "time_zone = 'Chicago' is not an IANA time zone"),
        ("time_zone = 6", "'time_zone' must be text in quotes"),
        *(
            (f'time_zone = "{name}"', "is not an IANA time zone of a region, such as America/Chicago, or UTC")
            for name in ("localtime", "posixrules", "EST", "EST5EDT", "GMT", "CET", "Etc/GMT+5", "right/Europe/London")
        ),
        ('time_zone = "posix/Europe/London"', "is not an IANA time zone of a region"),
        ('time_zone = "europe/london"', "is not an IANA time zone of a region"),
        ('time_zone = "Europe/../Europe/London"', "is not an IANA time zone of a region"),
        (ZONE + 'schedule = "at three"', "schedule = 'at three' is not a cron line of five fields"),
        (ZONE + 'schedule = "0 3 * * * *"', "five fields"),
        (ZONE + 'schedule = "0 25 * * *"', "'25' is not within 0 to 23; a cron line is for example"),
        (ZONE + 'schedule = "0 3 * * fri-"', "'fri-' is not within 0 to 7"),
        (ZONE + 'schedule = "0 3 * * freitag"', "'freitag' is not a number"),
        (ZONE + 'ready_within = "soon"', "ready_within = 'soon' is not a number of hours, days or weeks"),
        (ZONE + 'schedule = "0 ² * * *"', "'²' is not a number"),
        (ZONE + 'schedule = "*/0 3 * * *"', r"schedule = '\*/0 3 \* \* \*': '\*/0' is not within 0 to 59"),
        (ZONE + 'schedule = "1,,2 3 * * *"', "'' is not within 0 to 59"),
        (ZONE + 'schedule = "/5 3 * * *"', "'/5' is not within 0 to 59"),
        (ZONE + 'schedule = "0 3 30 2 *"', "schedule = '0 3 30 2 .' names a day that never comes"),
        (ZONE + 'ready_within = "0 hours"', "ready_within = '0 hours' is not a span from 1 hour to 31 days"),
        (
            ZONE + 'ready_within = "99999999999 days"',
            "ready_within = '99999999999 days' is not a span from 1 hour",
        ),
        (ZONE + "keep_hours = 99999999999", "'keep_hours' must be a number of hours, from 0 to 8,784"),
        (ZONE + "keep_hours = nan", "'keep_hours' must be a number of hours"),
        (ZONE + "keep_versions = 0", "'keep_versions' must be a whole number, from 1 to"),
        (ZONE + "keep_versions = 99999999999", "'keep_versions' must be a whole number"),
        (ZONE + "minimum_caseload = 99999999999", "'minimum_caseload' must be a whole number"),
        (ZONE + "cancellation_notice_hours = inf", "'cancellation_notice_hours' must be a number of hours"),
        (ZONE + "cancellation_notice_hours = -1", "'cancellation_notice_hours' must be a number of hours, from 0"),
        (ZONE + "quarantine_limit = nan", "'quarantine_limit' must be a number, a share from 0 to 1"),
        (ZONE + "quarantine_limit = 0x" + "f" * 5000, "'quarantine_limit' must be a number"),
        (ZONE + "quarantine_limit = " + "9" * 5000, "is not TOML: Exceeds the limit"),
        (ZONE + "[shared]\nminimum_clients = 99999999999", r"\[shared\]: 'minimum_clients' must be a whole number"),
        (
            ZONE + "[protocol.srs]\nraters = ['client']\nfirst = 99999999999",
            "'first' must be a whole number, from 1 to",
        ),
        (ZONE + "[protocol.srs]\nraters = ['client']\nage_to = -1", "'age_to' must be an age in years"),
        (ZONE + 'closed = ["sundays"]', "closed = 'sundays' is not one of sunday, monday"),
        (ZONE + 'holidays = ["25 December"]', "holidays names '25 December', which is neither '2026-12-25' nor"),
        (ZONE + 'holidays = ["2027-01-02 to 2026-12-24"]', "holidays names '2027-01-02 to 2026-12-24'"),
        (ZONE + "schedule = 3", "'schedule' must be text"),
        (ZONE + "quarantine_limit = 20", "'quarantine_limit' must be a number, a share from 0 to 1"),
        (ZONE + 'quarantine_limit = "20 %"', "'quarantine_limit' must be a number"),
        (ZONE + 'not_treatment = "assessment"', "'not_treatment' must be a list of texts"),
        (ZONE + "on_failure = true", "'on_failure' must be text"),
        (ZONE + """on_failure = "tell 'it\"""", r"on_failure is no command \(no closing quotation\); close each quote"),
        (ZONE + "on_failure = \"''\"", "on_failure is no command: its first word is the program to run"),
        (ZONE + 'name = "north/south"', "name = 'north/south' is not up to 60 letters, digits, blanks, dots, dashes"),
        (ZONE + 'metrics = "metrics.txt"', "metrics = 'metrics.txt' does not end in .prom"),
        (ZONE + 'instruments = "nowhere"', "instruments = 'nowhere' is not a folder beside"),
        (ZONE + '[lists]\nsite = "north"', r"\[lists\]: 'site' must be a list of texts"),
        (ZONE + '[lists]\nsite = ["North", "All"]', r"\[lists\] site names 'All', which means all values on pages"),
        (ZONE + "[alliance_sd]\nsrs = 0", r"\[alliance_sd\]: 'srs' must be a number, a standard deviation above 0"),
        (ZONE + "[alliance_sd]\nsrs = inf", r"\[alliance_sd\]: 'srs' must be a number"),
        (ZONE + "[alliance_sd]\nors = 5", r"\[alliance_sd\] has the unknown key 'ors'"),
        (ZONE + '[alliance_sd]\nsrs = "5"', r"\[alliance_sd\]: 'srs' must be a number"),
        (ZONE + "sources = 3", "'sources' must be a section"),
        (ZONE + "[sources]\nx = 3", r"\[sources\]: 'x' must be a section"),
        (ZONE + SOURCE.replace("redcap", "excel"), r"\[sources.surveys\] format = 'excel' is not one of cliniko, fhir"),
        (ZONE + '[sources.x]\nformat = "redcap"', r"\[sources.x\] has no key 'files'"),
        (ZONE + '[sources.x]\nfiles = "*"', r"\[sources.x\] records = 'None' is not one of clients, episodes"),
        (ZONE + SOURCE + 'time_zone = "Mars"', r"\[sources.surveys\] time_zone = 'Mars'"),
        (ZONE + SOURCE + 'every = "daily"', r"\[sources.surveys\] every = 'daily' is not a number of hours, days"),
        *(
            (ZONE + SOURCE + f'every = "{span}"', rf"\[sources.surveys\] every = '{span}' is not a span from 1 hour")
            for span in ("0 days", "99999999999 days", "9999999 weeks")
        ),
        (ZONE + SOURCE + 'every = "² days"', r"\[sources.surveys\] every = '² days' is not a number of hours, days"),
        (
            ZONE + SOURCE + 'covers = "99999999999 days"',
            "covers = '99999999999 days' is not a span from 1 hour to",
        ),
        (ZONE + SOURCE + 'covers = "²² days"', "covers = '²² days' is neither 'all' nor a number of days"),
        (
            ZONE + SOURCE.replace("_*", "_%Q"),
            r"\[sources.surveys\] files = 'surveys_%Q.csv' has the directive %Q; known",
        ),
        *(
            (ZONE + SOURCE.replace("_*", f"_{days}"), f"files = 'surveys_{days}.csv' must have each directive once")
            for days in ("%Y%Y%m", "%m-%d", "%Y-%d", "%H%M")
        ),
        (ZONE + SOURCE + "header_row = 0", r"\[sources.surveys\]: 'header_row' must be a whole number, from 1"),
        (ZONE + SOURCE + 'id_space = "a\\u001fclient"', r"id_space = 'a\\x1fclient' is not a name"),
        (ZONE + '[sources."a\\nb"]\nrecords = "clients"', r"section of \[sources\] = 'a\\nb' is not a name"),
        (ZONE + SOURCE + "preset = []", r"\[sources.surveys\] preset = '\[\]' is not one of"),
        (ZONE + TABLE + "words = { sex = { m = {} } }", r"\[sources.diary.words.sex\]: 'm' must be text"),
        (ZONE + WIDE + "points = { never = inf }", r"\[sources.wave.points\]: 'never' must be a number"),
        (ZONE + WIDE + "range = [0, nan]", r"\[sources.wave\]: 'range' must be a list of numbers"),
        (ZONE + SOURCE + "every = 1", r"\[sources.surveys\]: 'every' must be text"),
        (ZONE + SOURCE + 'nulls = "-99"', r"\[sources.surveys\]: 'nulls' must be a list"),
        (ZONE + SOURCE + 'decimal = "point"', r"\[sources.surveys\] decimal = 'point' is not one of ., ,"),
        (ZONE + SOURCE + 'encoding = "ascii"', r"\[sources.surveys\] encoding = 'ascii' is not one of utf-8"),
        (ZONE + SOURCE + "forms = 3", r"\[sources.surveys\]: 'forms' must be a section"),
        (ZONE + SOURCE + FORM.replace('"srs"', '"sss"'), r"forms.srs\] instrument = 'sss' is not one of"),
        (ZONE + SOURCE + FORM.replace('"client"', '"aunt"'), r"forms.srs\] rater = 'aunt' is not one of client"),
        (ZONE + SOURCE + FORM.replace(', "s4"', ""), r"forms.srs\] items names 3 columns; srs has 4 items"),
        (ZONE + SOURCE + FORM.replace('"s4"', "4"), r"forms.srs\]: 'items' must be a list of texts"),
        (ZONE + SOURCE + FORM.replace("items", "#"), r"forms.srs\] has no key 'items'; add it"),
        (ZONE + SOURCE + FORM + 'completed_on = "spring"', r"forms.srs\]: 'completed_on' must be a day"),
        (ZONE + SOURCE + FORM + 'completed_on = "2026-03-01"\ncompleted_at = "t"', "both 'completed_at' and"),
        (
            ZONE + SOURCE + FORM.replace('"client"', '{ column = "who" }'),
            r"forms.srs.rater\] has no key 'words'; add it",
        ),
        (
            ZONE + SOURCE + FORM.replace('"client"', '{ column = "w", words = { a = "b" } }'),
            r"rater\] words = 'b' is not",
        ),
        (ZONE + WIDE.replace("client_id", "#"), r"\[sources.wave\] has no key 'client_id'; add it"),
        (
            ZONE + SOURCE + 'clients = { sex = { column = "s", words = { m = "man" } } }',
            r"sex\] words = 'man' is not one of",
        ),
        ("time_zone = UTC", "is not TOML"),
        (
            ZONE + SOURCE + 'dates = "decide"',
            r"\[sources.surveys\] has the key 'dates', which the format redcap does not take; remove it",
        ),
        (
            ZONE + SOURCE + 'instrument = "srs"',
            r"\[sources.surveys\] has the unknown key 'instrument'",
        ),
        (
            ZONE + SOURCE.replace("redcap", "redcup"),
            r"format = 'redcup' is not one of .*; did you mean 'redcap'\?",
        ),
        (
            ZONE + SOURCE.replace("redcap", "excel"),
            "a new format is a fact sheet warehouse/clinic_file/formats/excel.toml and a module transforms",
        ),
        (ZONE + f"[sources.x.{'.'.join('a' * 99)}]", "has the key 'sources', which is nested deeper than 100"),
        (ZONE + f"{'.'.join('a' * 9999)} = 1", "has the key 'a', which is nested deeper than 100"),
        (ZONE + f"lists = {'[' * 9999}{']' * 9999}", "is nested deeper than 100"),
    ],
)
def test_a_wrong_value_is_refused_with_its_key_and_what_to_do(tmp_path, text, reason):
    assert re.search(reason, refusal(tmp_path, text))


def test_every_zone_of_a_region_is_known_to_all_that_read_the_clock(tmp_path):
    """Python, DuckDB and polars each bring time zones of their own."""
    names = sorted(regions())
    assert len(names) > 400
    known_to_duckdb = {name for (name,) in duckdb.sql("SELECT name FROM pg_timezone_names()").fetchall()}
    assert known_to_duckdb.issuperset(names)
    for name in names:
        pl.Series([datetime(2026, 1, 1, tzinfo=UTC)]).dt.convert_time_zone(ZoneInfo(name).key)


def test_a_file_that_an_editor_began_with_a_byte_order_mark_is_read(tmp_path):
    (tmp_path / "clinic.toml").write_text(ZONE, encoding="utf-8-sig")
    assert read_clinic(tmp_path / "clinic.toml").time_zone == read_schedule(tmp_path / "clinic.toml").zone.key


def test_a_refusal_is_one_line_however_long_and_strange_what_is_refused(tmp_path):
    told = refusal(tmp_path, ZONE + '"a\\n' + "b" * 9999 + '" = 1')
    assert "\n" not in told
    assert "has the unknown key 'a\\nbbb" in told
    assert told.endswith("time_zone, vanished_limit")
    assert len(told) < 1100


def test_a_file_that_is_not_there_or_not_utf_8_is_refused(tmp_path):
    with pytest.raises(Unusable, match=r"clinic.toml cannot be read .*; check --clinic"):
        read_clinic(tmp_path / "clinic.toml")
    (tmp_path / "clinic.toml").write_bytes(b'time_zone = "UTC" # caf\xe9')
    with pytest.raises(Unusable, match="is not TOML"):
        read_clinic(tmp_path / "clinic.toml")

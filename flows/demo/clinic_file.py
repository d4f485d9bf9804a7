"""The demo's clinic.toml, which describes the exports of the demo clinic."""

import grp
import os

from rapport.flows.demo import course, episodes
from rapport.flows.demo.forms import FORMS, Form

OPENING = """\
# The demo clinic. Written by `rapport demo`; everybody in it is invented.

time_zone = "America/Chicago"   # of the exports' local times and of the schedule
schedule = "0 3 * * *"          # cron: when the night runs
quarantine_limit = 0.2          # above this share of a source's records the night stops
not_treatment = {not_treatment}   # services that are not counted as sessions
licences = ["srs", "ors", "wai_sr", "myts"]   # held by this clinic; without, they are loaded and not scored
accepted = ["myts"]             # its key is recalled, not checked, and this clinic takes it
"""
LISTS = """
# Text that may go into tables. Everything else becomes "other" and is counted.
[lists]
service = {service}
modality = ["in_person", "video", "phone"]
site = ["north", "south"]
program = {program}
presenting_problem = {presenting_problem}
referral_source = {referral_source}
"""
PROTOCOL = """
# Which questionnaire is due at which treatment sessions of an episode: the first, and every so many after it.
# A caregiver's is due for minors. What stands here for an instrument replaces "at every session".
[protocol.srs]
raters = ["client"]

[protocol.ors]
raters = ["client"]

[protocol.wai_sr]
raters = ["client", "caregiver", "therapist"]
first = 3
every = 4

[protocol.phq9]
raters = ["client"]
every = 4
age_from = 11

[protocol.gad7]
raters = ["client"]
every = 4
age_from = 11

[protocol.gbo]
raters = ["client"]
every = 3

[protocol.myts]
raters = ["client", "caregiver"]
every = 50   # at the first; once more at the fourth is welcome and not due
age_from = 11
age_to = 17
"""
SOURCES = """
# The practice system: a first export of everything, then what is new or changed.
[sources.appointments]
format = "plain"
records = "appointments"
files = "appointments_%Y-%m-%d.csv"   # the date is the time of the export
id_space = "practice"
every = "1 day"

# All episodes, every night.
[sources.episodes]
format = "plain"
records = "episodes"
files = "episodes_%Y-%m-%d.csv"
id_space = "practice"
every = "1 day"

# The clinic's own small form, one row per item: goals, motivation, what observers rate. Each night what is new.
[sources.responses]
format = "plain"
records = "responses"
files = "responses_%Y-%m-%d.csv"
id_space = "practice"
every = "1 day"

# One REDCap project whose record ids are the practice system's client numbers.
[sources.surveys]
format = "redcap"
files = "AllianceSurveys_DATA_%Y-%m-%d_%H%M.csv"
id_space = "practice"
every = "1 day"

# The form that describes the client. Its names, e-mail and notes are read by nobody.
[sources.surveys.clients]
birth_date = "dob"
sex = { column = "sex", words = { "1" = "female", "2" = "male", "3" = "other" } }
"""


INTERNAL = """
[internal]                      # pages with exact numbers, each for a group of staff who may open records
operations = "{group}"
"""


def clinic_file() -> str:
    """The whole file."""
    opening = OPENING.format(not_treatment=listed(course.SERVICES[1:]))
    lists = LISTS.format(
        service=listed(course.SERVICES),
        program=listed(episodes.PROGRAMS),
        presenting_problem=listed(episodes.PROBLEMS),
        referral_source=listed(episodes.REFERRALS),
    )
    return opening + lists + PROTOCOL + internal_section() + SOURCES + "".join(form_section(form) for form in FORMS)


def form_section(form: Form) -> str:
    """One survey form; its time is in the column `<form>_timestamp`, as REDCap names it."""
    lines = [
        f"\n[sources.surveys.forms.{form.name}]",
        f'instrument = "{form.instrument}"',
        f'rater = "{form.rater}"',
        f"items = {listed(form.items)}",
    ]
    if form.therapist_column:
        lines.append(f'therapist_id = "{form.therapist_column}"')
    return "\n".join(lines) + "\n"


def internal_section() -> str:
    """The section for internal pages. Their readers are the user group of this process; empty where it has no name."""
    try:
        return INTERNAL.format(group=grp.getgrgid(os.getgid()).gr_name)
    except KeyError:
        return ""


def listed(words: list[str] | tuple[str, ...]) -> str:
    return "[" + ", ".join(f'"{word}"' for word in words) + "]"

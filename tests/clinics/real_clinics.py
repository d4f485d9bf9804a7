"""Clinic files for the real REDCap projects: project -> (clinic.toml, responses, answered items, their sum)."""

HEADER = """
time_zone = "America/Chicago"
record_years_back = 120
instruments = "instruments"
[sources.project]
format = "redcap"
files = "data.csv"
id_space = "project"
"""


def instrument(count: int, low: float, high: float, step: float = 0.001) -> str:
    """A clinic's own instrument: `count` items from `low` to `high`."""
    return f"""
title = "A clinic's own"
construct = "other"
respondents = ["client"]
timing = "general"
direction = "higher_better"
citation = "local"
licence = "local"
[items]
count = {count}
minimum = {low}
maximum = {high}
step = {step}
[scales.total]
description = "Sum of the items."
items = {list(range(1, count + 1))}
score = "sum"
missing = "complete_only"
"""


INSTRUMENTS = {
    "cog": instrument(3, 0, 10),
    "slope": instrument(1, -10, 10),
    "morale": instrument(4, 0, 10, 1),
    "body": instrument(3, 0, 500),
    "ticks": instrument(9, 0, 1, 1),
    "one": instrument(1, 0, 100, 1),
    "pair": instrument(2, 0, 1, 1),
    "inventory": instrument(21, 0, 3, 1),
}


def form(name: str, own: str, *items: str, more: str = "completed_on = 2018-01-01") -> str:
    """A form section of the project's source."""
    return f"""
[sources.project.forms.{name}]
instrument = "{own}"
rater = "client"
items = {list(items)}
{more}
""".replace("'", '"')


PMQ = ("pmq1", "pmq2", "pmq3", "pmq4")
TICKS = [f"check_one___{n}" for n in range(1, 5)] + [f"check_two___{letter}" for letter in "abcde"]
VISIT = 'form = "appointment"\ncompleted_at = "date_at_visit"'
MOUSE = """
[sources.project.clients]
birth_date = "dob"
sex = { column = "sex", words = { "0" = "female", "1" = "male" } }
"""

CLINICS = {
    "blank-for-gray-status": (HEADER + MOUSE + form("health", "body", "height", "weight", "bmi"), 5, 15, 1345.34),
    "checkboxes-1": (HEADER + form("form_2", "ticks", *TICKS), 4, 36, 9.0),
    "decimal-comma": (
        HEADER + 'decimal = ","' + form("demographics", "body", "height", "weight", "bmi"),
        4,
        12,
        420.44,
    ),
    "empty-rows": (HEADER + form("health", "body", "height", "weight", "bmi"), 0, 0, None),
    "longitudinal": (HEADER + form("patient_morale_questionnaire", "morale", *PMQ), 10, 40, 34.0),
    "multilevel-model-1": (
        HEADER
        + form("cognition", "cog", "cog_1", "cog_2", "cog_3", more=VISIT)
        + form("slope", "slope", "slope_factor_1", more=VISIT),
        400,
        800,
        3622.28,
    ),
    "potentially-problematic-values": (HEADER + form("form_1", "one", "form_1_complete"), 2, 2, 4.0),
    "survey": (
        HEADER
        + form("prescreening_survey", "pair", "has_diabetes", "consent___1", more="")
        + form("participant_morale_questionnaire", "morale", *PMQ, more=""),
        2,
        4,
        2.0,
    ),
}

"""Wall-clock times that a change of clocks makes ambiguous or impossible are counted, whatever they time."""

import pytest

from tests.clinics.reading import Reading

PLAIN = '[sources.appointments]\nformat = "plain"\n[sources.responses]\nformat = "plain"\n'
SURVEY = """
[sources.surveys]
format = "redcap"
files = "*"
[sources.surveys.forms.gad7]
instrument = "gad7"
rater = "client"
items = ["g1", "g2", "g3", "g4", "g5", "g6", "g7"]
"""
APPOINTMENT = "appointment_id | client_id | starts_at | status\n1 | 1 | {} | attended"
RESPONSE = (
    "response_id | client_id | instrument | rater | completed_at | item | value\n1 | 1 | gad7 | client | {} | 1 | 1"
)
REDCAP = "record_id | gad7_timestamp | g1 | g2 | g3 | g4 | g5 | g6 | g7\n1 | {} | 1 | 1 | 1 | 1 | 1 | 1 | 1"


@pytest.mark.parametrize(
    ("clinic", "drawn", "source"),
    [(PLAIN, APPOINTMENT, "appointments"), (PLAIN, RESPONSE, "responses"), (SURVEY, REDCAP, "surveys")],
)
@pytest.mark.parametrize(
    ("time", "counted"),
    [
        ("2025-11-02 01:30:00", {"ambiguous": 1}),
        ("2026-03-08 02:30:00", {"missing": 1}),
        ("2026-03-08 03:30:00", {}),
    ],
)
def test_times_at_a_change_of_clocks_are_counted(tmp_path, clinic, drawn, source, time, counted):
    assert dict(Reading(tmp_path, clinic, drawn.format(time), source).task.clock_changes) == counted

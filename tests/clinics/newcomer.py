"""The newcomer's clinic: twelve made-up clients in the exports of four systems, as a small practice has them.

Appointments with US dates and 12-hour times in two columns; a Google form with answers in words; a workbook with date
cells and a title above its header; a REDCap project with automatic record ids. A tool that guesses finds 45 clients.
"""

import csv
import io
import os
from datetime import date, datetime, timedelta
from pathlib import Path

from tests.clinics.spreadsheets import xlsx

CLIENTS = [f"A{number}" for number in range(101, 113)]
NAMES = ["Quillfeather", "Brambleworth", "Ottersham", "Wexcombe", "Tindlebury", "Marchpane"]
WORDS = ["Not at all", "Several days", "More than half the days", "Nearly every day"]
SESSIONS = 8  # of each client, a week apart
FILES = {
    "appointments": "Appointment Report 2026-07-01.csv",
    "google": "PHQ-9 and GAD-7 (Responses).csv",
    "outcome": "ORS SRS log.xlsx",
    "redcap": "ClinicAlliance_DATA_2026-07-01_1403.csv",
}
AS_OF = "2026-07-01T20:00"


def _starts(client: int, session: int) -> datetime:
    return datetime(2026, 3, 2, 9) + timedelta(days=client % 5 + 7 * session, hours=client % 7)


def _status(client: int, session: int) -> str:
    return {5: "No Show", 11: "Cancelled"}.get((client * SESSIONS + session) % 13, "Show")


def _us(day: date) -> str:
    return f"{day.month}/{day.day}/{day.year}"


def _clock(at: datetime) -> str:
    return f"{at.hour % 12 or 12}:{at.minute:02d} {'AM' if at.hour < 12 else 'PM'}"


def held_sessions() -> list[tuple[int, datetime]]:
    """Each session that was held."""
    every = [(client, session) for client in range(12) for session in range(SESSIONS)]
    return [(client, _starts(client, session)) for client, session in every if _status(client, session) == "Show"]


def _csv(rows: list[list[object]]) -> bytes:
    made = io.StringIO()
    csv.writer(made).writerows(rows)
    return made.getvalue().encode()


def appointments() -> bytes:
    """96 appointments of 12 clients."""
    rows: list[list[object]] = [["Date", "Time", "Client ID", "Client Name", "Clinician", "Duration", "Status"]]
    for client in range(12):
        for session in range(SESSIONS):
            at = _starts(client, session)
            name = f"{NAMES[client % 6]}, {chr(65 + client)}."
            who = "Dr. Halloway" if client % 2 else "J. Pettibone"
            rows.append([_us(at), _clock(at), CLIENTS[client], name, who, "53 mins", _status(client, session)])
    return _csv(rows)


def google() -> bytes:
    """The PHQ-9 and the GAD-7 in words, on the evening before every third session: 24 rows, 48 responses."""
    questions = [f"Over the last 2 weeks: line {letter}" for letter in "ABCDEFGHIJKLMNOP"]
    rows: list[list[object]] = [["Timestamp", "Client ID", *questions, "Anything else you wish to say?"]]
    for client in range(12):
        for session in (1, 4):
            at = _starts(client, session) + timedelta(minutes=5)
            words = [WORDS[(client + session + place) % 4] for place in range(16)]
            rows.append([f"{_us(at)} {at:%H:%M:%S}", CLIENTS[client], *words, "I slept at my sister's in Larkhollow."])
    return _csv(rows)


def outcome() -> bytes:
    """The ORS and the SRS of every session that was held, in a workbook whose first row is a title."""
    rows: list[list[object]] = [["Session log of the practice"], []]
    rows.append(["Date", "Client ID", *(f"ORS{n}" for n in (1, 2, 3, 4)), *(f"SRS{n}" for n in (1, 2, 3, 4))])
    for place, (client, at) in enumerate(held_sessions()):
        marks: list[object] = [4 + (client + place + n) % 6 + 0.5 for n in range(8)]
        if place in (7, 30):
            marks[5] = "n/a"
        rows.append([datetime(at.year, at.month, at.day), CLIENTS[client], *marks])
    return xlsx(Log=rows)


def redcap() -> bytes:
    """A project that numbers its records by itself: the client's number is a field, in the record's first row only."""
    items = [f"wai_sr_{n}" for n in range(1, 13)]
    repeats = ["redcap_repeat_instrument", "redcap_repeat_instance"]
    rows: list[list[object]] = [
        ["record_id", *repeats, "client_no", "contact_complete", *("wai_sr_timestamp", *items, "wai_sr_complete")]
    ]
    for record, client in enumerate([(each * 5 + 3) % 12 for each in range(12)], start=1):
        rows.append([record, "", "", CLIENTS[client], 2, *[""] * 14])
        held = [at for each, at in held_sessions() if each == client]
        for instance, at in enumerate((held[2], held[4]), start=1):
            marks = [1 + (client + instance + n) % 5 for n in range(12)]
            when = at + timedelta(hours=1)
            rows.append([record, "wai_sr", instance, "", "", f"{when:%Y-%m-%d %H:%M:%S}", *marks, 2])
    return _csv(rows)


def responses() -> dict[str, tuple[int, int, float]]:
    """By questionnaire: how many responses there are, how many meet a session, and the sum of all answers."""
    held = held_sessions()
    asked = [(client, session, _starts(client, session)) for client in range(12) for session in (1, 4)]
    met = sum((client, at) in held for client, _, at in asked)
    words = [[(client + session + place) % 4 for place in range(16)] for client, session, _ in asked]
    marks = [[4 + (client + place + n) % 6 + 0.5 for n in range(8)] for place, (client, _) in enumerate(held)]
    without = sum(marks[place][5] for place in (7, 30))
    bonds = [1 + (client + instance + n) % 5 for client in range(12) for instance in (1, 2) for n in range(12)]
    return {
        "gad7": (24, met, sum(sum(each[9:]) for each in words)),
        "ors": (len(held), len(held), sum(sum(each[:4]) for each in marks)),
        "phq9": (24, met, sum(sum(each[:9]) for each in words)),
        "srs": (len(held), len(held), sum(sum(each[4:]) for each in marks) - without),
        "wai_sr": (24, 24, sum(bonds)),
    }


MADE = {"appointments": appointments, "google": google, "outcome": outcome, "redcap": redcap}


def deliver(exports: Path) -> None:
    """Write the four files into a folder, as long there as the other clinics' are."""
    exports.mkdir(parents=True, exist_ok=True)
    for key, name in FILES.items():
        (exports / name).write_bytes(MADE[key]())
        os.utime(exports / name, (1_750_000_000, 1_750_000_000))

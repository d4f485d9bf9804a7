"""Cliniko's appointments from its API: JSON pages, arrays, or one appointment a line.

Ids of nineteen digits stay text. Client and therapist are links; the last part of a link is the id. The status is in
flags; the preset's words come from them. A group appointment contains its attendees.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from rapport.transforms.sources import table
from rapport.transforms.sources.canonical.tallies import Tallies
from rapport.transforms.sources.opening.content import Content
from rapport.transforms.sources.opening.export import Export
from rapport.transforms.sources.opening.json_records import Record, last_part, open_records, text
from rapport.transforms.sources.opening.shape import Shape
from rapport.warehouse.clinic_file.sources import Source
from rapport.warehouse.errors import Refused

LISTS = ("individual_appointments", "group_appointments", "appointments", "bookings")
HEADER = [
    *("appointment_id", "client_id", "therapist_id", "starts_at", "ends_at", "cancelled_at"),
    *("service", "site", "status"),
]


def open_cliniko(content: Content, source: Source, shape: Shape) -> Export:
    """Open a page, an array, or lines of appointments."""
    return open_records(content, HEADER, _appointments, _rows)


def read(export: Export, source: Source, tallies: Tallies) -> Iterator[tuple[str, pl.DataFrame]]:
    """Appointments; each attendee of a group has one."""
    yield from table.read_known(export, source, tallies)


def _appointments(value: object) -> Iterator[object]:
    if isinstance(value, list):
        yield from value
        return
    found = [value[name] for name in LISTS if isinstance(value, dict) and isinstance(value.get(name), list)]
    if found:
        for each in found:
            yield from each
    elif isinstance(value, dict) and "starts_at" in value:
        yield value
    else:
        raise Refused(f"holds no Cliniko appointments ({', '.join(LISTS[:2])}); export it again")


def _rows(record: Record) -> Iterator[dict[str, str | None]]:
    attendees = record.get("attendees")
    for attendee in attendees if isinstance(attendees, list) else [record]:
        if isinstance(attendee, dict):
            yield {**_row(record), "client_id": _linked(attendee, "patient"), **_became(record, attendee)}


def _row(record: Record) -> dict[str, str | None]:
    return {
        "appointment_id": text(record.get("id")),
        "therapist_id": _linked(record, "practitioner"),
        "starts_at": text(record.get("starts_at") or record.get("appointment_start")),
        "ends_at": text(record.get("ends_at") or record.get("appointment_end")),
        "service": _linked(record, "appointment_type"),
        "site": _linked(record, "business"),
    }


def _linked(record: Record, name: str) -> str | None:
    linked = record.get(name)
    return last_part(linked.get("links")) if isinstance(linked, dict) else None


def _became(record: Record, attendee: Record) -> dict[str, str | None]:
    """The word for an appointment's flags. A cancellation of a group counts for each attendee."""
    cancelled = text(attendee.get("cancelled_at") or record.get("cancelled_at"))
    if any(each.get(flag) for each in (record, attendee) for flag in ("deleted_at", "archived_at")):
        word: str | None = "deleted"
    elif cancelled:
        word = "cancelled"
    elif attendee.get("did_not_arrive") is True:
        word = "did_not_arrive"
    else:
        arrived = attendee.get("patient_arrived") is True or attendee.get("arrived") is True
        word = "arrived" if arrived else None
    return {"cancelled_at": cancelled, "status": word}

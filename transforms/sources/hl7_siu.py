"""HL7 v2 SIU: messages about appointments, a log. The last message of an appointment decides, in the order of MSH-7,
also where the messages lie in several files.

Segments end with a carriage return; messages may stand in MLLP frames or in a batch file. What a later message leaves
blank the earlier ones say: a cancellation may name the appointment alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import polars as pl

from rapport.transforms.sources import table
from rapport.transforms.sources.canonical.tallies import Tallies
from rapport.transforms.sources.opening.bounded import too_large
from rapport.transforms.sources.opening.content import Content
from rapport.transforms.sources.opening.export import Export
from rapport.transforms.sources.opening.shape import COUNT, NUMBER, SENT, Shape
from rapport.warehouse.clinic_file.sources import Source
from rapport.warehouse.errors import Refused

LARGEST = 512 << 20  # bytes: messages of one appointment may stand anywhere in the file
HEADER = [
    *("appointment_id", "client_id", "therapist_id", "starts_at", "ends_at", "duration_minutes"),
    *("cancelled_at", "event", "status"),
]
_LINE, _MESSAGE = 110, 1_000  # bytes that Python takes for a segment and for a message beside their text
_FRAME = re.compile("[\x0b\x1c]")
_BATCH = ("FHS", "BHS", "BTS", "FTS")
CANCELLED = ("S15", "S16")
ALWAYS = ("event", "status", "cancelled_at")  # what a later message says by leaving it blank
# AIG names what else is booked; of these types it is no person.
THINGS = ("room", "location", "loc", "equipment", "equip", "device", "bed", "resource", "r", "e", "l")
_TIME = re.compile(r"^(\d{4})(\d{2})(\d{2})(?:(\d{2})(\d{2})(\d{2})?(?:\.\d+)?)?([-+]\d{4})?$", re.ASCII)
Message = dict[str, list[list[str]]]


def open_siu(content: Content, source: Source, shape: Shape) -> Export:
    """Open a file of messages. Raises Refused when it does not begin as one."""
    if content.kind != "text":
        raise Refused("is not HL7 v2; correct its format in clinic.toml")
    export = Export(content.path, list(HEADER), header_count=0, has_columns=False)
    export.chunks = _chunks(export, content, source, shape)
    return export


def read(export: Export, source: Source, tallies: Tallies) -> Iterator[tuple[str, pl.DataFrame]]:
    """Appointments as their last messages leave them."""
    yield from table.read_known(export, source, tallies)


def _chunks(export: Export, content: Content, source: Source, shape: Shape) -> Iterator[pl.DataFrame]:
    size, pieces = 0, []
    for piece in content.text(shape.encoding, shape.chunk):
        size += len(piece)
        if size > LARGEST:
            raise Refused(f"is above {LARGEST >> 20} MB; export it in pieces")
        pieces.append(piece)
    if 2 * size + sum(_LINE * piece.count(b"\n") + _MESSAGE * piece.count(b"MSH") for piece in pieces) > content.memory:
        raise too_large(content.memory)
    try:
        lines = _FRAME.sub("\n", b"".join(pieces).decode()).replace("\r", "\n").split("\n")
    except UnicodeDecodeError:
        raise Refused('is not UTF-8; add encoding = "windows-1252" (or "mac-roman") to its source') from None
    rows = list(_folded(export, source, _messages([line.strip() for line in lines if line.strip()])))
    schema = {NUMBER: pl.Int32, COUNT: pl.Int32, SENT: pl.String, **dict.fromkeys(sorted(export.wanted), pl.String)}
    yield pl.DataFrame(rows, schema=schema, orient="row")


def _messages(lines: list[str]) -> Iterator[Message]:
    """Segments by name, each as its fields; a field is reached by the number that HL7 gives it."""
    message: Message = {}
    for line in lines:
        name = line[:3]
        if name in _BATCH:
            continue
        if name == "MSH":
            if message:
                yield message
            if len(line) < 8:
                raise Refused("has a message that breaks off in its first segment; export it again")
            message = {"MSH": [["MSH", line[3], *line[4:].split(line[3])]], "marks": [list(line[3:8])]}
        elif not message:
            raise Refused("does not begin with an HL7 message (MSH); correct its format in clinic.toml")
        else:
            message.setdefault(name, []).append(line.split(message["marks"][0][0]))
    if message:
        yield message


def _folded(export: Export, source: Source, messages: Iterator[Message]) -> Iterator[dict[str, object]]:
    told: dict[tuple[str, str], list[tuple[datetime, int, str | None, dict[str, str | None]]]] = {}
    zone = ZoneInfo(source.time_zone)
    for message in messages:
        export.record_count += 1
        if _part(message, "MSH", 9) != "SIU":
            continue
        row = _row(message, source)
        whose = (row["appointment_id"] or f"\x1e{export.record_count}", row["client_id"] or "")
        sent = _part(message, "MSH", 7)
        told.setdefault(whose, []).append((_at(sent, zone), export.record_count, _iso(sent), row))
    if export.record_count and not told:
        export.tell(
            "holds HL7 messages but none about appointments (SIU); correct files in clinic.toml if it is another "
            "interface's"
        )
    for log in told.values():
        log.sort(key=lambda each: each[:2])
        folded: dict[str, object] = {}
        for *_, row in log:
            always = ALWAYS if not row["starts_at"] else (*ALWAYS, "ends_at")  # a moved appointment ends otherwise too
            folded |= {key: value for key, value in row.items() if value or key in always}
        numbers = [number for _, number, *_ in log]
        yield {**folded, NUMBER: min(numbers), COUNT: len(log), SENT: log[-1][2]}


def _row(message: Message, source: Source) -> dict[str, str | None]:
    event = _part(message, "MSH", 9, 2)
    return {
        "appointment_id": _appointment(message),
        "client_id": _patient(message, source.identifier),
        "therapist_id": _part(message, "AIP", 3) or _resource(message) or _part(message, "PV1", 7),
        **_times(message),
        "cancelled_at": _iso(_part(message, "MSH", 7)) if event in CANCELLED else None,
        "event": event,
        "status": _part(message, "SCH", 25),
    }


def _appointment(message: Message) -> str | None:
    """An appointment's id. Each occurrence (SCH-3) of a recurring one is an appointment; the first has the id alone."""
    number, occurrence = _part(message, "SCH", 2) or _part(message, "SCH", 1), _part(message, "SCH", 3)
    return f"{number}/{occurrence}" if number and occurrence not in (None, "0", "1") else number


def _patient(message: Message, wanted: str | None) -> str | None:
    """The number. Of several the one with the type (CX-5) or authority (CX-4) of clinic.toml, else the first."""
    if not wanted:
        return _part(message, "PID", 3) or _part(message, "PID", 2)
    for place in range(_repetitions(message, "PID", 3)):
        authority = (_part(message, "PID", 3, 4, place) or "").split(_subcomponent(message))[0]
        if wanted in (_part(message, "PID", 3, 5, place), authority):
            return _part(message, "PID", 3, 1, place)
    return None


def _resource(message: Message) -> str | None:
    """A general resource (AIG), where its type does not exclude a person."""
    kind = (_part(message, "AIG", 4, 2) or _part(message, "AIG", 4) or "").lower()
    return None if kind in THINGS else _part(message, "AIG", 3)


def _times(message: Message) -> dict[str, str | None]:
    """Begin and duration. From version 2.5 on they are in TQ1 and AIS; older systems have SCH-9 to SCH-11."""
    of_service = _lasting(_part(message, "AIS", 7), _part(message, "AIS", 8))
    booked = _lasting(_part(message, "SCH", 9), _part(message, "SCH", 10))
    ways = [
        (_part(message, "TQ1", 7), _part(message, "TQ1", 8), booked),
        (_part(message, "AIS", 4), None, of_service or booked),
    ]
    older = (_part(message, "SCH", 11, 4), _part(message, "SCH", 11, 5), booked)
    ways = [*ways, older] if _version(message) >= (2, 5) else [older, *ways]
    starts, ends, length = next((way for way in ways if way[0]), older)
    return {"starts_at": _iso(starts), "ends_at": _iso(ends), "duration_minutes": length}


def _version(message: Message) -> tuple[int, ...]:
    told = re.match(r"[0-9]+(?:\.[0-9]+)*", _part(message, "MSH", 12) or "")
    return tuple(map(int, told[0].split("."))) if told else (0,)


def _lasting(length: str | None, unit: str | None) -> str | None:
    """A duration with its unit; minutes where there is no unit."""
    told = (unit or "min").lower()
    return length if told.startswith("m") else length and f"{length} {told}"


def _subcomponent(message: Message) -> str:
    marks = message["marks"][0]
    return marks[4] if len(marks) > 4 else "&"


def _repetitions(message: Message, segment: str, number: int) -> int:
    fields = next(iter(message.get(segment, ())), [])
    return len(fields[number].split(message["marks"][0][2])) if number < len(fields) else 0


def _part(message: Message, segment: str, number: int, component: int = 1, repetition: int = 0) -> str | None:
    """A component of a repetition of a field of the first such segment, without escapes."""
    fields = next(iter(message.get(segment, ())), [])
    if number >= len(fields):
        return None
    mark = message["marks"][0]
    parts = fields[number].split(mark[2])[repetition].split(mark[1])
    text = parts[component - 1].strip() if component <= len(parts) else ""
    for escape, plain in (("F", mark[0]), ("S", mark[1]), ("T", mark[4] if len(mark) > 4 else "&"), ("E", mark[3])):
        text = text.replace(f"{mark[3]}{escape}{mark[3]}", plain)
    return None if text in ("", '""') else text


def _at(sent: str | None, zone: ZoneInfo) -> datetime:
    """When a message was sent: in the night in which clocks go back, only the offset tells which of two came first."""
    try:
        at = datetime.fromisoformat(_iso(sent) or "")
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
    try:
        return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError:  # the years 1 and 9999
        return at.replace(tzinfo=UTC)


def _iso(text: str | None) -> str | None:
    """YYYYMMDDHHMM[SS][+ZZZZ] in ISO 8601. A text in another form stays; the next step names it as unreadable."""
    if text is None or not (match := _TIME.match(text)):
        return text
    year, month, day, hour, minute, second, offset = match.groups()
    time = f"T{hour}:{minute}:{second or '00'}" if hour else ""
    return f"{year}-{month}-{day}{time}{(offset or '') if time else ''}"

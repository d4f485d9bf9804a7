"""Deliveries: which files of which source are to be read tonight, oldest export first."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from rapport import expectations
from rapport.flows.order import Tonight
from rapport.flows.steps.changed_definitions import readings
from rapport.transforms.sources.opening.bounded import check_file
from rapport.transforms.sources.opening.door import digest_of
from rapport.warehouse.clinic_file.sources import DIRECTIVES, Source
from rapport.warehouse.errors import RapportError, Refused, escaped
from rapport.warehouse.intake import ledger, quarantine

SETTLED_AFTER = 60  # seconds since a file was last written; a younger one is looked at twice
SECOND_LOOK = 1.0  # seconds between the two looks


@dataclass(frozen=True)
class Delivery:
    """A file of a source, its content and the time of its export."""

    source: Source
    path: Path
    number: int
    name_id: str
    file_id: str
    content: str
    byte_count: int
    modified: int
    exported_at: datetime | None
    reading: str
    rules: str
    same_as: str | None = None  # the file_id of the source's latest delivery, when these are its bytes again
    was_read_otherwise: bool = False  # these bytes: by other code, or under another clinic file

    @property
    def label(self) -> str:
        """How logs and messages name it: its name may hold a person's."""
        return f"file {self.file_id[:8]} ({self.source.files})"

    @property
    def is_unmoved(self) -> bool:
        """Whether the file is still as it was when it was found."""
        now = self.path.stat()
        return (now.st_size, now.st_mtime_ns) == (self.byte_count, self.modified)


def find_deliveries(tonight: Tonight) -> None:
    """List the files to read into `tonight.deliveries`, and those still growing into `tonight.waiting`."""
    order = tonight.order
    tonight.readings, tonight.rules = readings(order.clinic), expectations.rules_version()
    matched = [(s, path, at) for s in order.clinic.sources for path, at in matching(order.exports, s)]
    if not matched:
        patterns = ", ".join(source.files for source in order.clinic.sources)
        raise RapportError(
            f"no file in the exports folder matches any source ({patterns}); check --exports and clinic.toml"
        )
    growing = _growing([path for _, path, _ in matched])
    tonight.waiting = [escaped(path.name) for path in sorted(growing)]
    found = [
        delivery
        for source, path, exported_at in matched
        if not _waits(tonight, source, path, growing) and not (exported_at and exported_at > order.as_of)
        for delivery in _to_read(tonight, source, path, exported_at)
    ]
    tonight.present |= {each.file_id for each in found}
    found = [replace(each, same_as=None) if _is_among_others(each, found) else each for each in found]
    found.sort(key=lambda each: (each.exported_at or order.as_of, each.path.name))
    tonight.deliveries = [replace(each, number=number) for number, each in enumerate(found, start=1)]


def _waits(tonight: Tonight, source: Source, path: Path, growing: set[Path]) -> bool:
    """Whether a file is still being written; what is known of it stays in the folder meanwhile."""
    if path not in growing:
        return False
    before = ledger.last_reading(
        tonight.con, source.name, tonight.pseudonyms.keyed(source.name, "file_name", path.name)
    )
    tonight.present |= {before["file_id"]} if before else set()
    return True


def matching(exports: Path, source: Source) -> Iterator[tuple[Path, datetime | None]]:
    """The source's files with the export time that their names tell."""
    pattern, directives = _pattern(source.files)
    deep = "/" in source.files
    for path in sorted(_all_below(exports) if deep else exports.iterdir()):
        name = path.relative_to(exports).as_posix() if deep else path.name
        match = pattern.fullmatch(name)
        if match and not path.is_dir():
            yield path, _exported_at(match, directives, source) if directives else None


def _all_below(exports: Path) -> Iterator[Path]:
    """All files below a folder. Raises OSError for a folder that cannot be listed, unless it is a disk's own or hidden:
    nobody knows what lies in it."""

    def complain(error: OSError) -> None:
        if not Path(error.filename).name.startswith((".", "lost+found")):
            raise error

    for folder, _, names in os.walk(exports, onerror=complain):
        yield from (Path(folder, name) for name in names)


def _pattern(files: str) -> tuple[re.Pattern[str], list[str]]:
    """A files pattern as a regular expression, and its directives in order: * is anything, %Y a year and so on."""
    parts = re.split(r"(\*|%[A-Za-z])", files)
    digits = {part: f"([0-9]{{{count}}})" for part, count in DIRECTIVES.items()}
    written = ["[^/]*" if part == "*" else digits.get(part) or re.escape(part) for part in parts]
    return re.compile("".join(written)), [part for part in parts if part in digits]


def _exported_at(match: re.Match[str], directives: list[str], source: Source) -> datetime:
    try:
        local = datetime.strptime(" ".join(match.groups()), " ".join(directives))
        return local.replace(tzinfo=ZoneInfo(source.time_zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Refused(
            "has no date in its name where its pattern expects one", label=source.files, name=match[0]
        ) from None


def _growing(paths: list[Path]) -> set[Path]:
    """Files that were written to between two looks."""
    young = {
        path: path.stat() for path in paths if path.is_file() and time.time() - path.stat().st_mtime < SETTLED_AFTER
    }
    if not young:
        return set()
    time.sleep(SECOND_LOOK)
    return {
        path
        for path, then in young.items()
        if (path.stat().st_size, path.stat().st_mtime_ns) != (then.st_size, then.st_mtime_ns)
    }


def _to_read(tonight: Tonight, source: Source, path: Path, exported_at: datetime | None) -> Iterator[Delivery]:
    """The file as a delivery, unless it says nothing that is not known."""
    ids = tonight.pseudonyms
    _check(source, path)
    name_id = ids.keyed(source.name, "file_name", path.name)
    stat = path.stat()
    before = ledger.last_reading(tonight.con, source.name, name_id)
    same_stat = before and (before["byte_count"], before["modified"]) == (stat.st_size, stat.st_mtime_ns)
    content = before["content"] if same_stat else _digest(source, path)
    reading = tonight.readings[source.name]
    is_known = before and before["content"] == content
    if is_known and _says_nothing_new(before, reading, tonight.order.as_of) and not _may_heal(tonight, before):
        tonight.present.add(before["file_id"])
        return
    latest = None if is_known else ledger.latest_export(tonight.con, source.name)
    if is_known and exported_at is None:
        exported_at = before["exported_at"]
    export = f"{path.name}\x1f{content}\x1f{exported_at or tonight.order.as_of}"
    found = Delivery(
        source=source,
        path=path,
        number=0,
        name_id=name_id,
        file_id=before["file_id"].replace("-", "") if is_known else ids.keyed(source.name, "file", export),
        content=content,
        byte_count=stat.st_size,
        modified=stat.st_mtime_ns,
        exported_at=exported_at,
        reading=reading,
        rules=tonight.rules,
        was_read_otherwise=bool(is_known and before["reading"] != reading),
    )
    if latest and _repeats(found, latest) and _says_nothing_new(latest, reading, tonight.order.as_of):
        found = replace(found, same_as=latest["file_id"])
    yield found


def _is_among_others(delivery: Delivery, found: list[Delivery]) -> bool:
    """Whether other exports of its source come tonight: what those say may have come in between."""
    return sum(each.source == delivery.source for each in found) > 1


def _repeats(delivery: Delivery, latest: dict[str, object]) -> bool:
    """Whether a file only says again, later, what its source's latest delivery said. A window has moved on since."""
    is_window = delivery.source.covers not in (None, "all")
    is_later = delivery.exported_at is None or delivery.exported_at > latest["exported_at"]
    return latest["content"] == delivery.content and is_later and not is_window


def _check(source: Source, path: Path) -> None:
    try:
        check_file(path, source.memory)
    except Refused as refused:
        raise refused.of(f"a file of {source.files}", path.name) from None


def _digest(source: Source, path: Path) -> str:
    try:
        return digest_of(path)
    except OSError as error:
        what = f"cannot be read ({error.strerror}); let the night's user read it"
        raise Refused(what, label=f"a file of {source.files}", name=path.name) from None


def _says_nothing_new(row: dict, reading: str, as_of: datetime) -> bool:
    return row["reading"] == reading and not (row["rereads_at"] and row["rereads_at"] <= as_of)


def _may_heal(tonight: Tonight, row: dict) -> bool:
    """Whether rows of a file wait for rules that have changed since it was read."""
    return row["rules"] != tonight.rules and quarantine.has_waiting(tonight.con, row["file_id"])

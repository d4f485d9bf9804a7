"""The search for deliveries: the files of each source to read tonight, oldest export first."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from rapport import expectations
from rapport.flows.delivery import Delivery
from rapport.flows.intake.not_read import NotRead, find_not_read, names_in
from rapport.flows.order import Order
from rapport.flows.steps.changed_definitions import readings
from rapport.flows.steps.done_again import Again, find_again
from rapport.flows.workbench import Workbench
from rapport.transforms.sources.opening.bounded import check_file
from rapport.transforms.sources.opening.passed_over import is_no_export
from rapport.transforms.sources.opening.tables import digest_of
from rapport.warehouse.clinic_file.sources import DIRECTIVES, Source
from rapport.warehouse.errors import RapportError, Refused, escaped
from rapport.warehouse.intake import ledger, quarantine
from rapport.warehouse.intake.ledger import Reading

SETTLED_AFTER = 60  # seconds since a file was last written; a younger file is examined twice
SECOND_LOOK = 1.0  # seconds between the two examinations


@dataclass(frozen=True)
class Found:
    """The files to read, and fingerprints of how they are read."""

    deliveries: tuple[Delivery, ...]  # oldest export first
    waiting: tuple[str, ...]  # names of files that are still being written
    not_read: NotRead
    present: frozenset[str]  # file_id of each file in the exports folder, also of files that are not read
    readings: dict[str, str]  # by source, the mark of how it is read
    rules: str  # the mark of the records' rules
    again: Again


@dataclass(frozen=True)
class _Search:
    """The facts with which files are compared, and the file_ids found so far."""

    bench: Workbench
    readings: dict[str, str]
    rules: str
    present: set[str] = field(default_factory=set)


def discover(bench: Workbench) -> Found:
    """Find the files to read. Report the files that are read again and the tables that are computed again."""
    search = _Search(bench, readings(bench.order.clinic), expectations.rules_version())
    matched = _find_files(bench.order)
    deliveries, waiting = _find_deliveries(search, bench.order, matched)
    not_read = find_not_read(bench.order, matched)
    again = find_again(bench, deliveries)
    for sentence in again.sentences:
        bench.progress(sentence)
    return Found(deliveries, waiting, not_read, frozenset(search.present), search.readings, search.rules, again)


def _find_files(order: Order) -> list[tuple[Source, Path, datetime | None]]:
    """The files of all sources, each with the time in its name."""
    matched = [(s, path, at) for s in order.clinic.sources for path, at in matching(order.exports, s)]
    if not matched:
        patterns = ", ".join(source.files for source in order.clinic.sources)
        raise RapportError(
            f"no file in the exports folder matches any source ({patterns}); check --exports and clinic.toml"
        )
    return matched


def _find_deliveries(
    search: _Search, order: Order, matched: list[tuple[Source, Path, datetime | None]]
) -> tuple[tuple[Delivery, ...], tuple[str, ...]]:
    """The files to read, and the names of the files that are still being written."""
    growing = _growing([path for _, path, _ in matched])
    found = [
        delivery
        for source, path, exported_at in matched
        if not _waits(search, source, path, growing) and not (exported_at and exported_at > order.as_of)
        for delivery in _deliveries_of(search, source, path, exported_at)
    ]
    search.present.update(each.file_id for each in found)
    found = [replace(each, same_as=None) if _is_among_others(each, found) else each for each in found]
    found.sort(key=lambda each: _came(each, order.as_of))
    numbered = tuple(replace(each, number=number) for number, each in enumerate(found, start=1))
    return numbered, tuple(escaped(path.name) for path in sorted(growing))


def _came(delivery: Delivery, as_of: datetime) -> tuple[datetime, int, int, str]:
    """The order of what came. A file's name decides nothing; of one time, the content keeps every night's order."""
    return delivery.exported_at or as_of, delivery.first_modified, delivery.first_load_id, delivery.content


def _waits(search: _Search, source: Source, path: Path, growing: set[Path]) -> bool:
    """Whether a file is still being written. Until it is complete, its last reading counts as present."""
    if path not in growing:
        return False
    name_id = search.bench.pseudonyms.keyed(source.name, "file_name", path.name)
    if before := ledger.last_reading(search.bench.con, source.name, name_id):
        search.present.add(before.file_id)
    return True


def matching(exports: Path, source: Source, *, with_unfinished: bool = False) -> Iterator[tuple[Path, datetime | None]]:
    """The source's files, each with the time of its export from the file name (UTC), or None. A name that says that a
    file is no export is passed over (transforms/sources/opening/passed_over.py), but for `with_unfinished`."""
    pattern, directives = _pattern(source.files)
    for name, path in names_in(exports, deep="/" in source.files):
        match = pattern.fullmatch(name)
        if match and (with_unfinished or not is_no_export(path.name)) and not path.is_dir():
            yield path, _exported_at(match, directives, source) if directives else None


def _pattern(files: str) -> tuple[re.Pattern[str], list[str]]:
    """A files pattern as a regular expression, and its date directives in order. * matches any text, %Y a year."""
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
            "has no date in its name where its pattern expects one; rename it, or correct files in clinic.toml",
            label=source.files,
            name=match[0],
        ) from None


def _growing(paths: list[Path]) -> set[Path]:
    """The files that change within SECOND_LOOK seconds."""
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


def _deliveries_of(search: _Search, source: Source, path: Path, exported_at: datetime | None) -> Iterator[Delivery]:
    """The file as a delivery; nothing where its content is known and is read as before."""
    bench, as_of = search.bench, search.bench.order.as_of
    ids = bench.pseudonyms
    _check(source, path)
    name_id = ids.keyed(source.name, "file_name", path.name)
    stat = path.stat()
    before = ledger.last_reading(bench.con, source.name, name_id)
    is_untouched = before and (before.byte_count, before.modified) == (stat.st_size, stat.st_mtime_ns)
    content = before.content if before and is_untouched else _digest(source, path)
    reading = search.readings[source.name]
    known = before if before and before.content == content else None
    if known and _is_known(known, reading, as_of) and not _may_be_released(search, known):
        search.present.add(known.file_id)
        return
    latest = None if known else ledger.latest_export(bench.con, source.name)
    if known and exported_at is None:
        exported_at = known.exported_at
    export = f"{path.name}\x1f{content}\x1f{exported_at or as_of}"
    found = Delivery(
        source=source,
        path=path,
        number=0,
        name_id=name_id,
        file_id=known.file_id.replace("-", "") if known else ids.keyed(source.name, "file", export),
        content=content,
        byte_count=stat.st_size,
        modified=stat.st_mtime_ns,
        first_modified=known.first_modified if known else stat.st_mtime_ns,
        first_load_id=known.first_load_id if known else bench.load_id,
        exported_at=exported_at,
        reading=reading,
        rules=search.rules,
        was_read_otherwise=known is not None and known.reading != reading,
    )
    if latest and _repeats(found, latest) and _is_known(latest, reading, as_of):
        found = replace(found, same_as=latest.file_id)
    yield found


def _is_among_others(delivery: Delivery, found: list[Delivery]) -> bool:
    """Whether other exports of its source come tonight. Their records may lie between two equal exports."""
    return sum(each.source == delivery.source for each in found) > 1


def _repeats(delivery: Delivery, latest: Reading) -> bool:
    """Whether a later file has the same content as its source's latest delivery. An export of a time window never
    repeats another: its window has moved."""
    is_window = delivery.source.covers not in (None, "all")
    is_later = delivery.exported_at is None or delivery.exported_at > latest.exported_at
    return latest.content == delivery.content and is_later and not is_window


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


def _is_known(known: Reading, reading: str, as_of: datetime) -> bool:
    return known.reading == reading and not (known.rereads_at and known.rereads_at <= as_of)


def _may_be_released(search: _Search, known: Reading) -> bool:
    """Whether a file has rows in quarantine, and the rules have changed since it was read."""
    return known.rules != search.rules and quarantine.has_waiting(search.bench.con, known.file_id)

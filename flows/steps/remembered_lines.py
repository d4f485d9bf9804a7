"""Files in the private tree about the lines of the last whole export, so that the next night reads only new lines.

They may be lost at any time. Then the next export is read completely, as the first one was.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import polars as pl

from rapport.flows.delivery import Delivery
from rapport.flows.workbench import Workbench
from rapport.transforms.pseudonyms import SEPARATOR
from rapport.transforms.sources.canonical.tallies import COUNTED, Tallies
from rapport.transforms.sources.opening.export import Export
from rapport.transforms.sources.speed.line_by_line import Lines, follows_from_its_line
from rapport.warehouse.intake.unchanged_lines import are_current, is_newest, settled_records
from rapport.warehouse.places.digests import SUMS, digest_of, is_as_written, noted_digests, sums
from rapport.warehouse.places.folders import Folders, prepare
from rapport.warehouse.store.parquet import read_note, read_parquet

_NAME = re.compile(r"[0-9a-f]{32}\.parquet")
_LOAD = "load_id"  # the key of the load that wrote them, in the file's metadata


@dataclass(frozen=True)
class ReadByLine:
    """A delivery, its lines, the counts of its reading, and the record numbers of people who may not be read."""

    delivery: Delivery
    lines: Lines
    tallies: Tallies
    left_out: list[pl.Series]
    met: pl.DataFrame


def ways_by_line(bench: Workbench, deliveries: Iterable[Delivery], delivery: Delivery, export: Export) -> list[Lines]:
    """The ways to read a delivery line by line, best first: with the known lines, then without them. Empty for a source
    that cannot be read line by line."""
    source = delivery.source
    is_alone = sum(each.source == source for each in deliveries) == 1
    if source.covers != "all" or not is_alone or not follows_from_its_line(source):
        return []
    seed = _seed(bench, delivery, export)
    known = _known(bench, delivery)
    return [Lines(seed)] if known is None else [Lines(seed, known), Lines(seed)]


def _known(bench: Workbench, delivery: Delivery) -> pl.DataFrame | None:
    kept = _file(bench, delivery.source.name)
    exported_at = delivery.exported_at or bench.order.as_of
    try:
        if not is_as_written(kept):
            return None
        with kept.open("rb") as file:
            load_id = int(read_note(file, _LOAD))
            if are_current(bench.con, delivery.source.name, load_id, delivery.file_id, exported_at):
                return read_parquet(file)
    except (OSError, ValueError):
        pass  # the file does not exist yet, or is damaged
    return None


def _seed(bench: Workbench, delivery: Delivery, export: Export) -> int:
    """A seed of the line hashes. It changes with everything that may change the meaning of a line, so that no earlier
    line is known then."""
    links, aliases = bench.order.clinic.client_links.mark, bench.pseudonyms.aliases.mark
    facts = (version("polars"), delivery.reading, delivery.rules, export.header, export.separator, links, aliases)
    return int(bench.pseudonyms.keyed(delivery.source.name, "lines", SEPARATOR.join(map(repr, facts)))[:16], 16)


def remember(bench: Workbench, by_line: Iterable[ReadByLine]) -> Iterator[Path]:
    """Write the files about the lines of tonight's whole exports. They are kept when the night has published."""
    for read in by_line:
        if not is_newest(bench.con, read.delivery.number):
            continue
        rows, unsettled = settled_records(bench.con, read.delivery.number, read.tallies.known_at)
        unsettled = pl.concat([unsettled, *read.left_out])
        counted = pl.concat([pl.DataFrame(schema=COUNTED), *read.tallies.counts])
        made = read.lines.known_now(read.met, rows, unsettled, counted)
        waiting = bench.load.scratch / _file(bench, read.delivery.source.name).name
        waiting.touch(mode=0o600)
        made.write_parquet(waiting, compression="uncompressed", metadata={_LOAD: str(bench.load_id)})
        yield waiting


def keep_lines(folders: Folders, remembered: Collection[Path]) -> list[str]:
    """Move the prepared files of the published load into place. Return a sentence where that fails; then the next
    export is read completely."""
    try:
        _keep(folders.lines, remembered)
    except OSError as error:
        return [f"the lines of whole exports could not be remembered ({error.strerror}); delete private/lines"]
    return []


def _keep(folder: Path, remembered: Collection[Path]) -> None:
    if not remembered:
        return
    folder.mkdir(mode=0o700, exist_ok=True)
    for waiting in remembered:
        waiting.replace(folder / waiting.name)
    noted = {kept.name: digest for kept in _kept(folder) for digest in noted_digests(kept)}
    noted |= {waiting.name: digest_of(folder / waiting.name) for waiting in remembered}
    prepare(folder / f".{SUMS}.new", sums(noted.items())).replace(folder / SUMS)


def _kept(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.glob("*.parquet")) if _NAME.fullmatch(path.name) and path.is_file()]


def drop_lines(folders: Folders) -> None:
    """Remove all remembered lines: a person who is taken out may be in them."""
    for left in (*_kept(folders.lines), folders.lines / SUMS):
        left.unlink(missing_ok=True)


def _file(bench: Workbench, source: str) -> Path:
    return bench.order.folders.lines / f"{bench.pseudonyms.keyed(source, 'lines', '')}.parquet"

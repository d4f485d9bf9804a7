"""What is remembered of a whole export's lines between nights, in the private tree, so that the next is not read whole.

It may be lost at any time: then the next export is read line by line, as the first was.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import polars as pl

from flows.deliveries import Delivery
from flows.order import Tonight
from transforms.pseudonyms import SEPARATOR
from transforms.sources.known_lines import Lines, follows_from_its_line
from transforms.sources.opened import Opened
from transforms.sources.task import COUNTED, Task
from warehouse.folders import Folders
from warehouse.known_lines import are_current, is_newest, settled
from warehouse.parquet import read_note, read_parquet

_LOAD = "load_id"  # the key of the load that wrote them, in the file's metadata


@dataclass(frozen=True)
class ReadByLine:
    """A delivery, its lines, what was counted in reading it, and the records of people who may not be read."""

    delivery: Delivery
    lines: Lines
    task: Task
    left_out: list[pl.Series]
    met: pl.DataFrame


def ways_by_line(tonight: Tonight, delivery: Delivery, opened: Opened) -> list[Lines]:
    """The ways to read a delivery by its lines, best first: with those that are known, and as if none were. None for a
    source whose lines cannot be taken one by one."""
    source = delivery.source
    is_alone = sum(each.source == source for each in tonight.deliveries) == 1
    if source.covers != "all" or not is_alone or not follows_from_its_line(source):
        return []
    seed = _seed(tonight, delivery, opened)
    known = _known(tonight, delivery)
    return [Lines(seed)] if known is None else [Lines(seed, known), Lines(seed)]


def _known(tonight: Tonight, delivery: Delivery) -> pl.DataFrame | None:
    kept = _file(tonight, delivery.source.name)
    exported_at = delivery.exported_at or tonight.order.as_of
    try:
        with kept.open("rb") as file:
            load_id = int(read_note(file, _LOAD))
            if are_current(tonight.con, delivery.source.name, load_id, delivery.file_id, exported_at):
                return read_parquet(file)
    except (OSError, ValueError):
        pass  # none yet, or spoilt
    return None


def _seed(tonight: Tonight, delivery: Delivery, opened: Opened) -> int:
    """Another for whatever may let the same line say something else, so that no line of before is known then."""
    links = tonight.order.clinic.client_links.mark
    facts = (version("polars"), delivery.reading, delivery.rules, opened.header, opened.separator, links)
    return int(tonight.pseudonyms.keyed(delivery.source.name, "lines", SEPARATOR.join(map(repr, facts)))[:16], 16)


def remember(tonight: Tonight) -> None:
    """Prepare what is known now of tonight's whole exports, to be kept when the night has published."""
    for read in tonight.by_line:
        if not is_newest(tonight.con, read.delivery.number):
            continue
        rows, unsettled = settled(tonight.con, read.delivery.number, read.task.known_at)
        unsettled = pl.concat([unsettled, *read.left_out])
        counted = pl.concat([pl.DataFrame(schema=COUNTED), *read.task.counts])
        made = read.lines.known_now(read.met, rows, unsettled, counted)
        waiting = tonight.scratch / _file(tonight, read.delivery.source.name).name
        waiting.touch(mode=0o600)
        made.write_parquet(waiting, compression="uncompressed", metadata={_LOAD: str(tonight.load_id)})
        tonight.remembered.append(waiting)


def keep_lines(tonight: Tonight) -> None:
    """Move into place what was prepared: it is of the load that was just published."""
    folder = tonight.order.folders.lines
    for waiting in tonight.remembered:
        folder.mkdir(mode=0o700, exist_ok=True)
        waiting.replace(folder / waiting.name)


def drop_lines(folders: Folders) -> None:
    """Forget all lines: somebody who is taken out may stand in them."""
    for left in folders.lines.glob("*"):
        left.unlink()


def _file(tonight: Tonight, source: str) -> Path:
    return tonight.order.folders.lines / f"{tonight.pseudonyms.keyed(source, 'lines', '')}.parquet"

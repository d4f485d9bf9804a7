"""The id spaces of the clinic file, compared with the books before anything is read.

load.spaces has every id space under which each source was read. Where a space is in no section any more, or a new name
replaces it, the night is refused until clinic.toml explains the change (warehouse/clinic_file/id_spaces.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

import polars as pl

from rapport.flows.delivery import Delivery
from rapport.flows.order import Order
from rapport.flows.private.crosswalk import everybody_kept
from rapport.flows.private.unsettled_spaces import refuse_unsettled, way_of
from rapport.flows.workbench import Workbench
from rapport.warehouse.clinic_file.clinic import Clinic
from rapport.warehouse.clinic_file.contradicting_spaces import line_of
from rapport.warehouse.clinic_file.sources import Source
from rapport.warehouse.intake.space_book import Used, enter_spaces, note_spaces, sources_by_people, used_spaces
from rapport.warehouse.places.publication import published_version
from rapport.warehouse.store.building_file import open_published

if TYPE_CHECKING:
    import duckdb


def settle_spaces(
    con: duckdb.DuckDBPyConnection, order: Order, crosswalk: pl.DataFrame, load_id: int
) -> tuple[Used, ...]:
    """Compare the book of spaces with the clinic file, and return the book. Raises Unusable, which gives the lines for
    clinic.toml."""
    people = crosswalk
    if not used_spaces(con):
        people = pl.concat([everybody_kept(order.folders), people])
        enter_spaces(con, gathered(con, order.clinic, people, load_id))
    enter_spaces(con, _not_in_the_book(con, people, load_id))
    used = used_spaces(con)
    refuse_unsettled(order.clinic, used, crosswalk)
    return tuple(used)


def settled_now(order: Order, people: pl.DataFrame) -> list[Used]:
    """The book of spaces, for a command that looks up a number among known people (a crosswalk). Raises Unusable, which
    gives the lines for clinic.toml."""
    with open_published(published_version(order.folders)) as con:
        used = used_spaces(con)
    refuse_unsettled(order.clinic, used, people)
    return used


def note_read(bench: Workbench, deliveries: Iterable[Delivery]) -> None:
    """Enter the spaces of the sources that the load reads."""
    spaces = bench.order.clinic.spaces
    read = {delivery.source.name: delivery.source.id_space for delivery in deliveries}
    note_spaces(bench.con, bench.load_id, [(s, name, spaces.first_name(name)) for s, name in read.items()])


# An upgrade: earlier versions kept no book of spaces


def gathered(con: duckdb.DuckDBPyConnection, clinic: Clinic, people: pl.DataFrame, load_id: int) -> list[Used]:
    """Return the rows of the book, from the id spaces of the known clients of each source."""
    rows = []
    numbers = people.filter(pl.col("kind") == "client").select("id_space", "number", "pseudonym").unique()
    sizes = Counter(numbers["id_space"])
    declared = {source.name: clinic.spaces.first_name(source.id_space) for source in clinic.sources}
    ids = numbers.select("id_space", client_id=pl.col("pseudonym").str.decode("hex")).unique()
    for source, first_load, mixes in sources_by_people(con, ids):
        now = declared.get(source)
        found = _spaces_of(mixes, now, sizes) or {each for each in (now,) if each}
        left_by = load_id if now in found else None
        rows += [Used(source, each, each, first_load, None if each == now else left_by) for each in sorted(found)]
    return rows


def _not_in_the_book(con: duckdb.DuckDBPyConnection, people: pl.DataFrame, load_id: int) -> list[Used]:
    """The spaces of known people that no source of the book has. Their source is gone, or it is newer than the load
    that is restored."""
    known = set(people.filter(pl.col("kind") == "client")["id_space"])
    lost = known - {each.first_name for each in used_spaces(con)}
    return [Used(None, each, each, load_id) for each in sorted(lost)]


def _spaces_of(mixes: Iterable[Collection[str]], now: str | None, sizes: Mapping[str, int]) -> set[str]:
    """The spaces of a source's numbers. A client with joined numbers has several spaces. Then the source's space is one
    that other clients of it have alone; else the one of clinic.toml; else the one with the fewest people."""
    found = {space for mix in mixes if len(mix) == 1 for space in mix}
    for mix in mixes:
        if not found & set(mix):
            found.add(now if now is not None and now in mix else min(mix, key=lambda space: (sizes[space], space)))
    return found


# A source that has another space than before


def former_spaces(bench: Workbench, source: Source) -> list[str]:
    """The first names of the id spaces that a source had before. The same number there may be the same person. Where
    clinic.toml says that the numbers are new, only spaces that are the same as its present one."""
    spaces = bench.order.clinic.spaces
    had = {each.first_name for each in bench.spaces_used if each.source == source.name}
    if source.id_space in spaces.with_new_numbers:
        had &= set(same_spaces(bench, source))
    return sorted(had - {spaces.first_name(source.id_space)})


def same_spaces(bench: Workbench, source: Source) -> list[str]:
    """The first names of the other id spaces that are the same as the source's."""
    return bench.order.clinic.spaces.same_as_this(bench.order.clinic.spaces.counts_as(source.id_space))


def tell_moved(bench: Workbench) -> Iterator[str]:
    """A sentence for each source that has another id space than at its last reading, with lines for clinic.toml."""
    clinic, met = bench.order.clinic, _known_of_each_space(bench)
    known_spaces = {each.first_name for each in bench.spaces_used}
    for source in clinic.sources:
        former = set(former_spaces(bench, source)) - clinic.spaces.joined.keys()
        for each in bench.spaces_used:
            if each.source == source.name and each.left_by is None and each.first_name in former:
                way = way_of(clinic, each.id_space, each.first_name, source.id_space, known_spaces, met)
                fresh = line_of(source.id_space, "new_numbers", True)
                yield (
                    f"the source {source.name} has the id space '{source.id_space}' and had '{each.id_space}'; records "
                    f"whose exports are gone stay in '{each.id_space}'. Write in [spaces] of clinic.toml {way}; or "
                    f"{fresh} if the numbers are other people's"
                )


def _known_of_each_space(bench: Workbench) -> pl.DataFrame:
    """Everybody who was known before tonight; for a new id space, the people of tonight's files."""
    columns = ["kind", "id_space", "number"]
    before = bench.crosswalk.select(columns)
    is_new = ~pl.col("id_space").is_in(before["id_space"].unique().implode())
    return pl.concat([before, bench.pseudonyms.crosswalk().select(columns).filter(is_new)])

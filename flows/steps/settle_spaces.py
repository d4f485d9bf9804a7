"""Id spaces between the clinic file and the books: what is not said of them is asked for, before anything is read.

load.spaces says under which space each source was ever read. A space that no section has any more, or a name that was
another space's, is refused until clinic.toml says what became of it (warehouse/clinic_file/id_spaces.py).
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
    """Compare the book of spaces with the clinic file, and return the book. Raises Unusable with what clinic.toml must
    say."""
    people = crosswalk
    if not used_spaces(con):
        people = pl.concat([everybody_kept(order.folders), people])
        enter_spaces(con, gathered(con, order.clinic, people, load_id))
    enter_spaces(con, _not_in_the_book(con, people, load_id))
    used = used_spaces(con)
    refuse_unsettled(order.clinic, used, crosswalk)
    return tuple(used)


def settled_now(order: Order, people: pl.DataFrame) -> list[Used]:
    """The book for a command that looks a number up among the people who are known (a crosswalk). Raises Unusable with
    what clinic.toml must say."""
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
    """Return the rows of the book, from whose numbers the clients of each source have."""
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
    """Spaces of people who are known, though no source of the book has them: of a source that is gone, or that came
    after the load which is published again."""
    known = set(people.filter(pl.col("kind") == "client")["id_space"])
    lost = known - {each.first_name for each in used_spaces(con)}
    return [Used(None, each, each, load_id) for each in sorted(lost)]


def _spaces_of(mixes: Iterable[Collection[str]], now: str | None, sizes: Mapping[str, int]) -> set[str]:
    """The spaces whose numbers a source has. A client whose numbers are joined is of several: the source's is one that
    others of its clients have alone, or that clinic.toml says, or the one with the fewest people."""
    found = {space for mix in mixes if len(mix) == 1 for space in mix}
    for mix in mixes:
        if not found & set(mix):
            found.add(now if now is not None and now in mix else min(mix, key=lambda space: (sizes[space], space)))
    return found


# A source that has another space than before


def former_spaces(bench: Workbench, source: Source) -> list[str]:
    """First names of the spaces that a source had before: there its numbers may be the same people's. Where clinic.toml
    says that its numbers are new, only those that are the same as its space."""
    spaces = bench.order.clinic.spaces
    had = {each.first_name for each in bench.spaces_used if each.source == source.name}
    if source.id_space in spaces.with_new_numbers:
        had &= set(same_spaces(bench, source))
    return sorted(had - {spaces.first_name(source.id_space)})


def same_spaces(bench: Workbench, source: Source) -> list[str]:
    """First names of the other spaces that are the same as a source's."""
    return bench.order.clinic.spaces.same_as_this(bench.order.clinic.spaces.counts_as(source.id_space))


def tell_moved(bench: Workbench) -> Iterator[str]:
    """Say how many numbers meet where a source has another space than at its last reading."""
    clinic, met = bench.order.clinic, _known_of_each_space(bench)
    known_spaces = {each.first_name for each in bench.spaces_used}
    for source in clinic.sources:
        former = set(former_spaces(bench, source)) - clinic.spaces.joined.keys()
        for each in bench.spaces_used:
            if each.source == source.name and each.left_by is None and each.first_name in former:
                way = way_of(clinic, each.id_space, each.first_name, source.id_space, known_spaces, met)
                fresh = line_of(source.id_space, "new_numbers", True)
                yield (
                    f"the source {source.name} has the id space '{source.id_space}' and had '{each.id_space}', where "
                    f"its records stay whose exports are gone. Write in [spaces] of clinic.toml {way}; or {fresh} if "
                    "they are other people's"
                )


def _known_of_each_space(bench: Workbench) -> pl.DataFrame:
    """Everybody known before bench; of a space that is new, whom bench's files bring."""
    columns = ["kind", "id_space", "number"]
    before = bench.crosswalk.select(columns)
    is_new = ~pl.col("id_space").is_in(before["id_space"].unique().implode())
    return pl.concat([before, bench.pseudonyms.crosswalk().select(columns).filter(is_new)])

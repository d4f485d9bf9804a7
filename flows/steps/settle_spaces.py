"""Id spaces between the clinic file and the books: what is not said of them is asked for, before anything is read.

load.spaces says under which space each source was ever read. A space that no section has any more, or a name that was
another space's, is refused until clinic.toml says what became of it (warehouse/clinic_file/id_spaces.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping

import polars as pl

from rapport.flows.order import Order, Tonight
from rapport.flows.private.crosswalk import everybody_kept
from rapport.flows.private.unsettled_spaces import refuse_unsettled, way_of
from rapport.warehouse.clinic_file.contradicting_spaces import line_of
from rapport.warehouse.clinic_file.sources import Source
from rapport.warehouse.intake.space_book import Used, enter_spaces, note_spaces, sources_by_people, used_spaces
from rapport.warehouse.places.publication import published_version
from rapport.warehouse.store.building_file import open_published


def settle_spaces(tonight: Tonight) -> None:
    """Compare the book of spaces with the clinic file. Raises Unusable with what clinic.toml must say."""
    order, people = tonight.order, tonight.crosswalk
    if not used_spaces(tonight.con):
        people = pl.concat([everybody_kept(order.folders), people])
        enter_spaces(tonight.con, gathered(tonight, people))
    enter_spaces(tonight.con, _not_in_the_book(tonight, people))
    tonight.spaces_used = used_spaces(tonight.con)
    refuse_unsettled(order.clinic, tonight.spaces_used, tonight.crosswalk)


def settled_now(order: Order, people: pl.DataFrame) -> list[Used]:
    """The book for a command that looks a number up among the people who are known (a crosswalk). Raises Unusable with
    what clinic.toml must say."""
    with open_published(published_version(order.folders)) as con:
        used = used_spaces(con)
    refuse_unsettled(order.clinic, used, people)
    return used


def note_read(tonight: Tonight) -> None:
    """Enter the spaces of the sources that the load reads."""
    spaces = tonight.order.clinic.spaces
    read = {delivery.source.name: delivery.source.id_space for delivery in tonight.deliveries}
    note_spaces(tonight.con, tonight.load_id, [(s, name, spaces.first_name(name)) for s, name in read.items()])


# An upgrade: earlier versions kept no book of spaces


def gathered(tonight: Tonight, people: pl.DataFrame) -> list[Used]:
    """Return the rows of the book, from whose numbers the clients of each source have."""
    clinic, rows = tonight.order.clinic, []
    numbers = people.filter(pl.col("kind") == "client").select("id_space", "number", "pseudonym").unique()
    sizes = Counter(numbers["id_space"])
    declared = {source.name: clinic.spaces.first_name(source.id_space) for source in clinic.sources}
    ids = numbers.select("id_space", client_id=pl.col("pseudonym").str.decode("hex")).unique()
    for source, first_load, mixes in sources_by_people(tonight.con, ids):
        now = declared.get(source)
        found = _spaces_of(mixes, now, sizes) or {each for each in (now,) if each}
        left_by = tonight.load_id if now in found else None
        rows += [Used(source, each, each, first_load, None if each == now else left_by) for each in sorted(found)]
    return rows


def _not_in_the_book(tonight: Tonight, people: pl.DataFrame) -> list[Used]:
    """Spaces of people who are known, though no source of the book has them: of a source that is gone, or that came
    after the load which is published again."""
    known = set(people.filter(pl.col("kind") == "client")["id_space"])
    lost = known - {each.first_name for each in used_spaces(tonight.con)}
    return [Used(None, each, each, tonight.load_id) for each in sorted(lost)]


def _spaces_of(mixes: Iterable[Collection[str]], now: str | None, sizes: Mapping[str, int]) -> set[str]:
    """The spaces whose numbers a source has. A client whose numbers are joined is of several: the source's is one that
    others of its clients have alone, or that clinic.toml says, or the one with the fewest people."""
    found = {space for mix in mixes if len(mix) == 1 for space in mix}
    for mix in mixes:
        if not found & set(mix):
            found.add(now if now in mix else min(mix, key=lambda space: (sizes[space], space)))
    return found


# A source that has another space than before


def former_spaces(tonight: Tonight, source: Source) -> list[str]:
    """First names of the spaces that a source had before: there its numbers may be the same people's. Where clinic.toml
    says that its numbers are new, only those that are the same as its space."""
    spaces = tonight.order.clinic.spaces
    had = {each.first_name for each in tonight.spaces_used if each.source == source.name}
    if source.id_space in spaces.with_new_numbers:
        had &= set(same_spaces(tonight, source))
    return sorted(had - {spaces.first_name(source.id_space)})


def same_spaces(tonight: Tonight, source: Source) -> list[str]:
    """First names of the other spaces that are the same as a source's."""
    return tonight.order.clinic.spaces.same_as_this(tonight.order.clinic.spaces.counts_as(source.id_space))


def tell_moved(tonight: Tonight) -> None:
    """Say how many numbers meet where a source has another space than at its last reading."""
    clinic, met = tonight.order.clinic, _known_of_each_space(tonight)
    known_spaces = {each.first_name for each in tonight.spaces_used}
    for source in clinic.sources:
        former = set(former_spaces(tonight, source)) - clinic.spaces.joined.keys()
        for each in tonight.spaces_used:
            if each.source == source.name and each.left_by is None and each.first_name in former:
                way = way_of(clinic, each.id_space, each.first_name, source.id_space, known_spaces, met)
                fresh = line_of(source.id_space, "new_numbers", True)
                tonight.troubles.append(
                    f"the source {source.name} has the id space '{source.id_space}' and had '{each.id_space}', where "
                    f"its records stay whose exports are gone. Write in [spaces] of clinic.toml {way}; or {fresh} if "
                    "they are other people's"
                )


def _known_of_each_space(tonight: Tonight) -> pl.DataFrame:
    """Everybody known before tonight; of a space that is new, whom tonight's files bring."""
    columns = ["kind", "id_space", "number"]
    before = tonight.crosswalk.select(columns)
    is_new = ~pl.col("id_space").is_in(before["id_space"].unique().implode())
    return pl.concat([before, tonight.pseudonyms.crosswalk().select(columns).filter(is_new)])

"""The clinic's client links, applied to what is known and to the crosswalk. Who was taken out is not brought back."""

from __future__ import annotations

from functools import reduce

import polars as pl

from flows.order import Order, Tonight
from flows.tombstones import Tombstones, set_tombstones
from transforms.pseudonyms import Pseudonyms
from warehouse import erasing, staging
from warehouse.erased_days import ErasedDays
from warehouse.errors import Unusable
from warehouse.joining import JOINS, use_joins


def joins_of(order: Order, pseudonyms: Pseudonyms) -> pl.DataFrame:
    """Every joined number but the one that its person goes by: rows of JOINS."""
    rows = [
        (number[0], pseudonyms.alone_in_bytes(*number), pseudonyms.alone_in_bytes(*main))
        for number, main in order.clinic.client_links.goes_by.items()
        if number != main
    ]
    return pl.DataFrame(rows, JOINS, orient="row")


def join_clients(tonight: Tonight) -> None:
    """Let what is known follow the links. Raises Unusable for a link that would bring somebody back."""
    clinic = tonight.order.clinic
    joins = joins_of(tonight.order, tonight.pseudonyms)
    _share_days(tonight, joins)
    joins = _of_the_known(tonight, _of_the_living(joins, tonight.tombstones))
    sources = [(source.id_space, source.name) for source in clinic.sources]
    if use_joins(tonight.con, tonight.load_id, joins, sources):
        tonight.crosswalk = _followed(tonight.crosswalk, tonight.pseudonyms)


def _share_days(tonight: Tonight, joins: pl.DataFrame) -> None:
    """What is older than the clinic keeps of one number may not be read under another of the same person. Raises
    Unusable where something so old is known under the other: it would be lost."""
    shared: dict[str, ErasedDays] = {}
    for (client_id, *_), numbers in joins.group_by("client_id"):
        shared |= _shared(tonight.tombstones, [client_id.hex(), *(each.hex() for each in numbers["own_id"])])
    if not shared:
        return
    if erasing.holds_kept_until(tonight.con, shared):
        raise Unusable(
            "client_links joins a number to another, of which everything up to a day was taken out ([keep] in "
            "clinic.toml), and the first has records of that time; remove the line that was added last"
        )
    tonight.tombstones = tonight.tombstones.widened(shared)
    if not tonight.order.is_check:
        set_tombstones(tonight.order.folders, shared)


def _shared(tombstones: Tombstones, people: list[str]) -> dict[str, ErasedDays]:
    """The same days for each of a person's numbers, where theirs differ only in how far back they are kept."""
    days = [tombstones.days_of(person) for person in people]
    told = [each for each in days if each]
    if len(set(days)) == 1 or any(each.until is None or each.since for each in told):
        return {}
    return dict.fromkeys(people, reduce(ErasedDays.and_also, told))


def _of_the_living(joins: pl.DataFrame, tombstones: Tombstones) -> pl.DataFrame:
    """Without the joins of people who were taken out. Raises Unusable when only one of two numbers was."""
    is_living = []
    for space, own_id, client_id in joins.iter_rows():
        own, joined = (tombstones.days_of(each.hex()) for each in (own_id, client_id))
        if own != joined:
            raise Unusable(
                f"client_links joins a number of the id space '{space}' to another, and one of the two was "
                "taken out (flows.forget) and the other was not; remove its line"
            )
        is_living.append(own is None or not own.is_everything)
    return joins.filter(pl.Series(is_living, dtype=pl.Boolean))


def _of_the_known(tonight: Tonight, joins: pl.DataFrame) -> pl.DataFrame:
    """Without the joins of people of whom nothing is left since their time was over, until something new comes."""
    joined = tonight.tombstones.among(person.hex() for person in joins["client_id"].unique())
    over = {person for person, days in joined.items() if days.until}
    over -= {*erasing.known_people(tonight.con), *staging.people(tonight.con)} if over else set()
    return joins.filter(~pl.col("client_id").is_in([bytes.fromhex(person) for person in over]))


def _followed(crosswalk: pl.DataFrame, pseudonyms: Pseudonyms) -> pl.DataFrame:
    """Each client's number with the pseudonym that it has now."""
    now = [
        pseudonyms.one(space, "client", number) if kind == "client" else made
        for kind, space, number, made in crosswalk.select("kind", "id_space", "number", "pseudonym").iter_rows()
    ]
    return crosswalk.with_columns(pl.Series("pseudonym", now, dtype=pl.String))

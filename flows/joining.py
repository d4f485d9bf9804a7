"""The clinic's client links, applied to what is known and to the crosswalk. Who was taken out is not brought back."""

from __future__ import annotations

import polars as pl

from flows.order import Order, Tonight
from flows.tombstones import Tombstones
from transforms.pseudonyms import Pseudonyms
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
    joins = _of_the_living(joins_of(tonight.order, tonight.pseudonyms), tonight.tombstones)
    sources = [(source.id_space, source.name) for source in clinic.sources]
    if use_joins(tonight.con, tonight.load_id, joins, sources):
        tonight.crosswalk = _followed(tonight.crosswalk, tonight.pseudonyms)


def _of_the_living(joins: pl.DataFrame, tombstones: Tombstones) -> pl.DataFrame:
    """Without the joins of people who were taken out. Raises Unusable when only one of two numbers was."""
    if not tombstones.days:
        return joins
    is_living = []
    for space, own_id, client_id in joins.iter_rows():
        days = [tombstones.days.get(tombstones.of(each.hex()), "none") for each in (own_id, client_id)]
        if days[0] != days[1]:
            raise Unusable(
                f"client_links joins a number of the id space '{space}' to another, and one of the two was "
                "taken out (flows.forget) and the other was not; remove its line"
            )
        is_living.append(days[0] is not None)
    return joins.filter(pl.Series(is_living, dtype=pl.Boolean))


def _followed(crosswalk: pl.DataFrame, pseudonyms: Pseudonyms) -> pl.DataFrame:
    """Each client's number with the pseudonym that it has now."""
    now = [
        pseudonyms.one(space, "client", number) if kind == "client" else made
        for kind, space, number, made in crosswalk.select("kind", "id_space", "number", "pseudonym").iter_rows()
    ]
    return crosswalk.with_columns(pl.Series("pseudonym", now, dtype=pl.String))

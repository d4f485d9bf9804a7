"""The clinic's client links, applied to what is known and to the crosswalk. Who was taken out is not brought back."""

from __future__ import annotations

import polars as pl

from flows.order import Order, Tonight
from flows.tombstones import Tombstones
from transforms.pseudonyms import Pseudonyms
from warehouse.errors import Unusable
from warehouse.joining import Join, use_joins


def joins_of(order: Order, pseudonyms: Pseudonyms) -> list[Join]:
    """Every joined number but the one that its person goes by."""
    return [
        Join(space, pseudonyms.alone(space, number), pseudonyms.one(space, "client", number))
        for main, numbers in order.clinic.client_links.people()
        for space, number in numbers
        if (space, number) != main
    ]


def join_clients(tonight: Tonight) -> None:
    """Let what is known follow the links. Raises Unusable for a link that would bring somebody back."""
    clinic = tonight.order.clinic
    joins = joins_of(tonight.order, tonight.pseudonyms)
    _refuse_bringing_back(joins, tonight.tombstones)
    living = [join for join in joins if not tonight.tombstones.stands_for(join.client_id)]
    sources: dict[str, list[str]] = {}
    for source in clinic.sources:
        sources.setdefault(source.id_space, []).append(source.name)
    if use_joins(tonight.con, tonight.load_id, living, sources):
        tonight.crosswalk = _followed(tonight.crosswalk, tonight.pseudonyms)


def _refuse_bringing_back(joins: list[Join], tombstones: Tombstones) -> None:
    for join in joins:
        days = [tombstones.days.get(tombstones.of(each), "none") for each in (join.own_id, join.client_id)]
        if tombstones.days and days[0] != days[1]:
            raise Unusable(
                f"client_links joins a number of the id space '{join.id_space}' to another, and one of the two was "
                "taken out (flows.forget) and the other was not; remove its line"
            )


def _followed(crosswalk: pl.DataFrame, pseudonyms: Pseudonyms) -> pl.DataFrame:
    """Each client's number with the pseudonym that it has now."""
    now = [
        pseudonyms.one(space, "client", number) if kind == "client" else made
        for kind, space, number, made in crosswalk.select("kind", "id_space", "number", "pseudonym").iter_rows()
    ]
    return crosswalk.with_columns(pl.Series("pseudonym", now, dtype=pl.String))

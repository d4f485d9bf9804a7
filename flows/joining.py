"""The clinic's client links and spaces that are the same, applied to what is known. Who was taken out stays out."""

from __future__ import annotations

import polars as pl

from flows.crosswalk import numbers_of
from flows.kept_out import list_half_taken_out
from flows.order import Tonight
from flows.tombstones import Tombstones
from transforms.pseudonyms import Pseudonyms
from warehouse.errors import Unusable
from warehouse.joining import JOINS, THERAPISTS, move_therapists, use_joins


def join_clients(tonight: Tonight) -> None:
    """Let what is known follow the links, and spaces that are the same. Raises Unusable for a link that would bring
    somebody back."""
    list_half_taken_out(tonight)
    joins = pl.concat([_of_the_living(_links(tonight), tonight.tombstones), _same_numbers(tonight)])
    moved = use_joins(tonight.con, tonight.load_id, joins)
    if move_therapists(tonight.con, _same_therapists(tonight)) or moved:
        _tell_met(tonight)
        tonight.crosswalk = _followed(tonight.crosswalk, tonight.pseudonyms)


def _tell_met(tonight: Tonight) -> None:
    spaces = tonight.order.clinic.spaces
    for space, other in spaces.joined.items():
        known = numbers_of(tonight.crosswalk, space)
        met = len(known & numbers_of(tonight.crosswalk, other))
        tonight.told(
            f"{met:,} of the {len(known):,} numbers of the id space '{space}' are known in '{spaces.name_of(other)}' "
            "too, and are one person each."
        )


def _links(tonight: Tonight) -> pl.DataFrame:
    """Every number of client_links.csv but the one that its person goes by: rows of JOINS."""
    names = tonight.pseudonyms
    rows = [
        (number[0], names.alone_in_bytes(*number), names.alone_in_bytes(*main))
        for number, main in tonight.order.clinic.client_links.goes_by.items()
        if number != main
    ]
    return pl.DataFrame(rows, JOINS, orient="row")


def _same_numbers(tonight: Tonight) -> pl.DataFrame:
    """Every known number of a space that is the same as another, but of people who were taken out: rows of JOINS."""
    names, tombstones = tonight.pseudonyms, tonight.tombstones
    rows = [
        (space, names.alone_in_bytes(space, number), names.one_in_bytes(space, "client", number))
        for space in tonight.order.clinic.spaces.joined
        for number in sorted(numbers_of(tonight.crosswalk, space))
    ]
    living = [row for row in rows if _may_join(tombstones, *(each.hex() for each in row[1:]))]
    return pl.DataFrame(living, JOINS, orient="row")


def _may_join(tombstones: Tombstones, own: str, other: str) -> bool:
    """Whether records known by a number may become those of the other one's person."""
    if tombstones.stands_for(own):
        return False
    return not (days := tombstones.days_of([other])) or days == tombstones.days_of([own])


def _same_therapists(tonight: Tonight) -> pl.DataFrame:
    names = tonight.pseudonyms
    known = tonight.crosswalk.filter(pl.col("kind") == "therapist").select("id_space", "number")
    rows = [
        (space, names.alone_in_bytes(space, number, "therapist"), names.one_in_bytes(space, "therapist", number))
        for space, number in known.unique().sort("id_space", "number").iter_rows()
        if space in tonight.order.clinic.spaces.joined
    ]
    return pl.DataFrame(rows, THERAPISTS, orient="row")


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
    """Each number with the pseudonym that it has now."""
    known = crosswalk.select("kind", "id_space", "number").iter_rows()
    now = [pseudonyms.one(space, kind, number) for kind, space, number in known]
    return crosswalk.with_columns(pl.Series("pseudonym", now, dtype=pl.String))

"""Clients' numbers of one id space that differ only in case, zeros or marks: a list for a person to look at.

Two such numbers may be one person, written in two ways, or two people. Rapport never joins them. A person can: in the
practice system, or by id_case or id_zero_pad in clinic.toml.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import polars as pl

from rapport.flows.order import Order
from rapport.flows.workbench import Workbench
from rapport.warehouse.places.folders import replace_private

HEADING = ("space", "client", "looks_like")


def look_alikes(people: pl.DataFrame) -> pl.DataFrame:
    """The clients of a crosswalk whose numbers look like another's: id_space, number, like (the first such number)."""
    clients = people.filter(pl.col("kind") == "client").select("id_space", "number", "pseudonym").unique()
    folded = clients.with_columns(fold=_fold(pl.col("number"))).filter(pl.col("fold") != "")
    alike = folded.sort("number").filter(pl.col("pseudonym").n_unique().over("id_space", "fold") > 1)
    listed = alike.with_columns(like=pl.col("number").first().over("id_space", "fold"))
    return (
        listed.filter(pl.col("number") != pl.col("like")).sort("id_space", "like", "number").drop("pseudonym", "fold")
    )


def _fold(number: pl.Expr) -> pl.Expr:
    """Letters in one case without their marks, and digits without zeros before them."""
    letters = number.str.normalize("NFKD").str.replace_all(r"\p{M}", "").str.to_lowercase()
    return letters.str.replace_all(r"[^\p{L}\p{N}]+", "").str.replace_all(r"(^|[^0-9])0+([0-9])", "${1}${2}")


def list_look_alikes(order: Order, people: pl.DataFrame) -> list[str]:
    """Write private/look_alikes.csv for a published crosswalk, or remove it where no two numbers look alike. Return a
    sentence where that fails."""
    try:
        if text := _lines(order, look_alikes(people)):
            replace_private(order.folders.look_alikes, text)
        else:
            order.folders.look_alikes.unlink(missing_ok=True)
    except OSError as error:
        return [f"private/look_alikes.csv could not be written ({error.strerror}); delete it, the next load writes it"]
    return []


def _lines(order: Order, alike: pl.DataFrame) -> str:
    if not alike.height:
        return ""
    text = io.StringIO()
    rows = ((order.clinic.spaces.name_of(space), *numbers) for space, *numbers in alike.iter_rows())
    csv.writer(text, lineterminator="\n").writerows([HEADING, *rows])
    return text.getvalue()


def new_look_alikes(bench: Workbench) -> Iterator[str]:
    """A sentence for each id space with numbers that were not listed before."""
    before = look_alikes(bench.crosswalk)
    met = bench.pseudonyms.crosswalk()
    both = pl.concat([bench.crosswalk.select(met.columns), met])
    now = look_alikes(both.unique(["kind", "id_space", "number"], keep="last", maintain_order=True))
    new = now.join(before, on=now.columns, how="anti")
    for space, count in new.group_by("id_space", maintain_order=True).len().iter_rows():
        name = bench.order.clinic.spaces.name_of(space)
        yield (
            f"{count:,} clients' numbers of the id space '{name}' are new, and differ from another only in case, zeros "
            "or marks; private/look_alikes.csv lists them. Nobody is joined by a guess: where they are one person, "
            "merge them in that system, or state id_case or id_zero_pad in the section"
        )

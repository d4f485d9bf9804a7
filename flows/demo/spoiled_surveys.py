"""Survey records that are spoiled on purpose. They stay in every later export, as in REDCap, where nobody corrects
them."""

from collections.abc import Sequence

import polars as pl

from rapport.flows.demo.defects import Way, as_text, first_night_count, plant, single_count, valid
from rapport.flows.demo.forms import FORMS, Form
from rapport.flows.demo.nights import FOREVER
from rapport.flows.demo.people import Practice

FIRST_SPOILED_INSTANCE = 5_000
PARENT_WAYS = (Way("unreadable", {"dob": "2011-02-30"}), Way("unreadable", {"dob": "spring 2011"}))


def ways(form: Form) -> tuple[Way, ...]:
    """Ways to spoil a response: millimetres for centimetres, WAI items on seven points, a 9 for "not known", typing
    errors."""
    first, second = form.items[:2]
    return (
        Way("value_out_of_range", {first: form.too_much}),
        Way("client_id_missing", {"client_id": ""}),
        Way("unreadable", {second: "abc"}),
        Way("conflicting_duplicate", {first: "1"}, {first: "2"}),
        Way("unreadable", {form.timestamp: "yesterday"}),
    )


def fresh_instance(number: pl.Expr) -> pl.Expr:
    return (FIRST_SPOILED_INSTANCE + number).cast(pl.String)


def fresh_record(number: pl.Expr) -> pl.Expr:
    return (9_000_000 + number).cast(pl.String)


def spoiled_responses(clinic: Practice, form: Form, form_number: int, real: pl.DataFrame) -> list[pl.DataFrame]:
    """Spoiled responses: many on the first night, and those of one form on each later night."""
    rng = clinic.chance(f"spoiled {form.name}")
    finished = real.filter(pl.col(form.complete) == 2, pl.col(form.timestamp).is_not_null())
    parts, before = [], None
    for turn, night in enumerate(clinic.nights):
        pool = valid(finished, night, before)
        later = single_count(pool.height) if turn % len(FORMS) == form_number - 1 else 0
        count = first_night_count(pool.height, ways(form)) if before is None else later
        text = as_text(pool, ("client_id", "instance", *form.columns))
        extra = plant(rng, text, ways(form), count, turn, key="instance", fresh=fresh_instance)
        parts.append(staying(orphaned(extra, form_number), night))
        before = night
    return parts


def orphaned(extra: pl.DataFrame, form_number: int) -> pl.DataFrame:
    """Give rows without a client number a record of their own, which no later increment repeats."""
    alone = -(pl.col("number") * 16 + form_number) - 1
    return extra.with_columns(record=pl.when(pl.col("client_id") == "").then(alone).otherwise("record"))


def spoiled_parents(clinic: Practice, columns: Sequence[str], real: pl.DataFrame) -> list[pl.DataFrame]:
    """Clients with only a parent row, which has an impossible birth date."""
    rng = clinic.chance("spoiled parents")
    pool = valid(real, clinic.nights[0])
    count = first_night_count(pool.height, PARENT_WAYS)
    text = as_text(pool, ("client_id", *columns))
    extra = plant(rng, text, PARENT_WAYS, count, 0, key="client_id", fresh=fresh_record)
    return [staying(extra.with_columns(record=-(pl.col("number") * 16) - 1), clinic.nights[0])]


def staying(extra: pl.DataFrame, night: int) -> pl.DataFrame:
    return extra.with_columns(from_day=pl.lit(night - 1, pl.Int64), to_day=pl.lit(FOREVER, pl.Int64))

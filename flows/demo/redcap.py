"""The survey export: one REDCap project with repeating instruments, raw and flat.

Each client has a parent row with the demographics form and one row per answered survey, which fills only its own form's
columns. An increment has all rows of each new or changed record, as REDCap's own export by modification date.
"""

from collections.abc import Sequence

import polars as pl

from rapport.flows.demo.defects import unspoiled
from rapport.flows.demo.forms import FORMS, Form
from rapport.flows.demo.nights import FOREVER, Export, export_lines, quoted
from rapport.flows.demo.people import Practice
from rapport.flows.demo.responses import responses, sessions
from rapport.flows.demo.spoiled_surveys import spoiled_parents, spoiled_responses

LEAD = (
    "record_id",
    "redcap_repeat_instrument",
    "redcap_repeat_instance",
    "redcap_data_access_group",
    "redcap_survey_identifier",
)
DEMOGRAPHICS = ("first_name", "last_name", "email", "dob", "sex", "notes", "demographics_complete")
COLUMNS = (*DEMOGRAPHICS, *(column for form in FORMS for column in form.columns))
PLACES_PER_FORM = 1 << 24
PLACES_PER_RECORD = PLACES_PER_FORM * (len(FORMS) + 1)


def parents(people: pl.DataFrame) -> pl.DataFrame:
    """The demographics form of each client, filled in when the first appointment is made."""
    return people.select(
        *("client", "client_id", "site", "first_name", "last_name", "email", "sex"),
        identifier=pl.when(pl.col("client") % 10 == 0).then("email").otherwise(pl.lit("")),
        dob=pl.col("birth").cast(pl.Int32).cast(pl.Date).dt.to_string("%Y-%m-%d"),
        notes=quoted("notes"),
        demographics_complete=pl.lit(2),
        instance=pl.lit(None, pl.Int64),
        from_day=(pl.col("start") - pl.col("lead")).cast(pl.Int64),
        to_day=pl.lit(FOREVER, pl.Int64),
    )


def placed(frame: pl.DataFrame, ranks: pl.Series, form_number: int) -> pl.DataFrame:
    """The rows with their place in REDCap's file order: record id as text, form in the codebook, instance."""
    rank = ranks.gather(frame["client"]).cast(pl.Int64)
    place = form_number * PLACES_PER_FORM + pl.col("instance").fill_null(0)
    return frame.with_columns(record=pl.col("client").cast(pl.Int64), order=rank * PLACES_PER_RECORD + place)


def line(columns: Sequence[str], form_name: str, identifier: pl.Expr) -> pl.Expr:
    """One line of the file: the form's own cells, and empty cells for all other forms."""
    before = COLUMNS.index(columns[0])
    after = len(COLUMNS) - before - len(columns)
    lead: list[str | pl.Expr] = ["client_id", pl.lit(form_name), "instance", "site", identifier]
    blank = [pl.lit("," * (before - 1))] if before else []
    cells = [*lead, *blank, *columns]
    text = pl.concat_str([as_cell(cell) for cell in cells], separator=",")
    return text + pl.lit("," * after)


def as_cell(cell: str | pl.Expr) -> pl.Expr:
    return (pl.col(cell) if isinstance(cell, str) else cell).cast(pl.String).fill_null("")


def form_lines(clinic: Practice, form: Form, frame: pl.DataFrame, ranks: pl.Series, clean: bool) -> pl.DataFrame:
    number = FORMS.index(form) + 1
    real = placed(frame, ranks, number)
    parts = [unspoiled(real)] + ([] if clean else spoiled_responses(clinic, form, number, real))
    return export_lines(parts, line(form.columns, form.name, pl.lit("")))


def parent_lines(clinic: Practice, people: pl.DataFrame, ranks: pl.Series, clean: bool) -> pl.DataFrame:
    real = placed(parents(people), ranks, 0)
    parts = [unspoiled(real)] + ([] if clean else spoiled_parents(clinic, DEMOGRAPHICS, real))
    return export_lines(parts, line(DEMOGRAPHICS, "", pl.col("identifier")))


def export(clinic: Practice, people: pl.DataFrame, appointments: pl.DataFrame, clean: bool, is_whole: bool) -> Export:
    ranks = people["client_id"].rank("ordinal")
    held = sessions(clinic, appointments)
    parts = [parent_lines(clinic, people, ranks, clean)]
    parts += [form_lines(clinic, form, responses(clinic, form, held), ranks, clean) for form in FORMS]
    lines = pl.concat(parts).sort("order", "copy", "from_day", maintain_order=True)
    header = ",".join((*LEAD, *COLUMNS))
    return Export("AllianceSurveys_DATA_%Y-%m-%d_0205.csv", header, lines, is_whole, header_when_empty=False)

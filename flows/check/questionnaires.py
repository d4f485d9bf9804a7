"""What is wrong with a file's questionnaires: answers beyond their range, and answers that make no score."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from rapport.flows.check.problem import Problem, counted
from rapport.transforms.sources.drafting.toml_lines import written
from rapport.warehouse.clinic_file.clinic import Clinic
from rapport.warehouse.clinic_file.sources import Source
from rapport.warehouse.instruments import Instrument


def problems_of_responses(source: Source, frame: pl.DataFrame, clinic: Clinic) -> Iterator[Problem]:
    """The problems of response rows, questionnaire by questionnaire."""
    for (name,), rows in frame.drop_nulls("instrument").group_by("instrument", maintain_order=True):
        if instrument := clinic.instruments.get(str(name)):
            yield from _out_of_range(source, instrument, rows.drop_nulls("answers"))
            yield from _not_scored(instrument, clinic)


def _out_of_range(source: Source, instrument: Instrument, rows: pl.DataFrame) -> Iterator[Problem]:
    """Answers that the questionnaire cannot have."""
    if not instrument.item_count:
        return
    ends = [instrument.range_of_item(number) for number in range(1, instrument.item_count + 1)]
    low, high = min(each.minimum for each in ends), max(each.maximum for each in ends)
    wrong = rows.filter((pl.col("answers").list.min() < low) | (pl.col("answers").list.max() > high))
    if wrong.height:
        told = f"{wrong.height:,} of {counted(rows.height, 'response')} with answers outside {low:g} to {high:g}"
        are_most = 2 * wrong.height > rows.height
        mend = (
            "Say   range = [lowest, highest]   as the export writes them" if are_most else "Correct them in the system"
        )
        say = f"{mend}, or say   nulls   in [sources.{source.name}]"
        yield Problem(instrument.name, "value_out_of_range", told, say, frozenset(wrong["record_number"]))


def _not_scored(instrument: Instrument, clinic: Clinic) -> Iterator[Problem]:
    """A questionnaire that has no scores at all and could have some."""
    reasons = [clinic.why_not_scored(instrument, scale) for scale in instrument.scales if scale.has_key]
    if instrument.scored and reasons and all(reasons):
        needs_licence = instrument.licence_needed and instrument.name not in clinic.licences
        key = "licences" if needs_licence else "accepted"
        where = "where the clinic holds it" if needs_licence else "where it is right"
        say = f"Say   {key} = [{written(instrument.name)}]   {where}"
        yield Problem(instrument.name, "not_scored", f"is loaded and not scored: {reasons[0]}", say)

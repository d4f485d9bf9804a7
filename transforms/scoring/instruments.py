"""The facts of warehouse/instruments as tables: questionnaires, their scales and their thresholds."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from rapport.warehouse.clinic_file.clinic import Clinic
from rapport.warehouse.instruments import CONSTRUCTS, SCORES, Instrument, Scale
from rapport.warehouse.schema.columns import TIMINGS, Column
from rapport.warehouse.schema.tables import table


@table(
    per="clinic",
    key="instrument",
    columns=[
        "instrument!",
        Column("title", "text", "Its full name.", required=True),
        Column("construct", "text", "The construct that it measures.", required=True, one_of=CONSTRUCTS),
        Column(
            "family",
            "text",
            "Parallel forms for several raters have one family, and are compared (alliance_agreement); else the "
            "instrument itself.",
            required=True,
        ),
        Column("respondents", "text", "The people who fill it in.", required=True),
        "age_from",
        "age_to",
        "item_count!",
        Column("item_minimum", "number", "Lowest answer; null where its items are not known."),
        Column("item_maximum", "number", "Highest answer; null where its items are not known."),
        "direction!",
        Column(
            "timing",
            "text",
            "When it is filled in; decides the matching window.",
            required=True,
            one_of=TIMINGS,
        ),
        Column("period", "text", "The time that its questions are about; null where not stated."),
        Column("citation", "text", "Where it is published.", required=True),
        "fact_status!",
        Column("licence", "text", "The holder of the rights, and the terms of use.", required=True),
        Column("is_licence_needed", "truth", "Whether clinic.toml must confirm a licence.", required=True),
        "is_scored!",
        "why_not_scored",
        Column("note", "text", "A note to read before using it."),
    ],
)
def instruments(clinic: Clinic) -> pl.LazyFrame:
    """One row per questionnaire that Rapport, or the clinic's own folder, describes. Responses to a questionnaire that
    is not scored are loaded too."""
    return pl.LazyFrame([_instrument(each, clinic) for each in clinic.instruments.values()], infer_schema_length=None)


def _instrument(each: Instrument, clinic: Clinic) -> Mapping[str, object]:
    reasons = [clinic.why_not_scored(each, scale) for scale in each.scales] or [clinic.why_not_used(each)]
    is_scored = None in reasons
    plain = (
        "title",
        "construct",
        "family",
        "age_from",
        "age_to",
        "item_count",
        "direction",
        "timing",
        "citation",
        "licence",
    )
    return {
        "instrument": each.name,
        **{name: getattr(each, name) for name in plain},
        "respondents": " ".join(each.respondents),
        "item_minimum": _number(each.minimum),
        "item_maximum": _number(each.maximum),
        "period": each.period or None,
        "note": each.note or None,
        "fact_status": each.origin.status,
        "is_licence_needed": each.licence_needed,
        "is_scored": is_scored,
        "why_not_scored": None if is_scored else reasons[0],
    }


def _number(value: float | None) -> float | None:
    return None if value is None else float(value)


@table(
    per="clinic",
    key="instrument scale",
    columns=[
        "instrument!",
        "scale!",
        Column("description", "text", "A description of the scale.", required=True),
        Column("items", "text", "Its items' numbers; null where they were not found."),
        Column("made_of", "text", "Scales that it adds (or subtracts, with a minus); null for a scale of items."),
        "item_count!",
        Column("score_is", "text", "Whether the score is the items' sum or mean.", required=True, one_of=SCORES),
        "direction!",
        Column("score_minimum", "number", "Lowest possible score; null where not stated."),
        Column("score_maximum", "number", "Highest possible score; null where not stated."),
        "rule!",
        "fact_status!",
        "fact_source!",
        "is_scored!",
        "why_not_scored",
    ],
)
def scales(clinic: Clinic) -> pl.LazyFrame:
    """One row per scale of a questionnaire."""
    rows = [_scale(each, scale, clinic) for each in clinic.instruments.values() for scale in each.scales]
    return pl.LazyFrame(rows, infer_schema_length=None)


def _scale(instrument: Instrument, scale: Scale, clinic: Clinic) -> Mapping[str, object]:
    low, high = instrument.range_of(scale)
    why_not = clinic.why_not_scored(instrument, scale)
    return {
        "instrument": instrument.name,
        "scale": scale.name,
        "description": scale.description,
        "items": " ".join(map(str, scale.items)) or None,
        "made_of": " ".join([*scale.adds, *(f"-{name}" for name in scale.subtracts)]) or None,
        "item_count": scale.item_count,
        "score_is": scale.score,
        "direction": scale.direction,
        "score_minimum": _number(low),
        "score_maximum": _number(high),
        "rule": clinic.missing_rule(instrument, scale),
        "fact_status": scale.origin.status,
        "fact_source": scale.origin.source,
        "is_scored": why_not is None,
        "why_not_scored": why_not,
    }


@table(
    per="clinic",
    key="instrument threshold",
    columns=[
        "instrument!",
        "threshold!",
        "scheme!",
        "scale!",
        "compared!",
        Column("cut_off", "text", "The scores that are a case, with the operator; null where there are only bands."),
        Column("bands", "text", "The lower ends of the bands, ascending; null where there is only a cut-off."),
        "population!",
        "fact_status!",
        "fact_source!",
        Column(
            "is_accepted", "truth", "False for a recalled threshold that clinic.toml does not accept.", required=True
        ),
    ],
)
def thresholds(clinic: Clinic) -> pl.LazyFrame:
    """One row per cut-off or set of bands of a questionnaire."""
    rows = [
        {
            "instrument": each.name,
            "threshold": at.name,
            "scheme": at.scheme,
            "scale": at.scale,
            "compared": at.of,
            "cut_off": str(at.case) if at.case else None,
            "bands": ", ".join(f"{word} {start}" for word, start in at.bands) or None,
            "population": at.population.text,
            "fact_status": at.origin.status,
            "fact_source": at.origin.source,
            "is_accepted": clinic.uses(each, at),
        }
        for each in clinic.instruments.values()
        for at in each.thresholds
    ]
    texts = {name: pl.String for name in thresholds.column_names if name != "is_accepted"}
    return pl.LazyFrame(rows, schema=texts | {"is_accepted": pl.Boolean}, infer_schema_length=None)

"""The rules of a possible rupture, as a table: the facts of rupture_rules.toml, and which of them this clinic uses."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from rapport.warehouse.clinic_file.clinic import Clinic
from rapport.warehouse.clinic_file.rupture_rules import KINDS, REPAIRS, RuptureRule
from rapport.warehouse.instruments import Instrument
from rapport.warehouse.instruments.thresholds import Threshold
from rapport.warehouse.schema.columns import Column
from rapport.warehouse.schema.tables import table


@table(
    per="clinic",
    key="rupture_rule instrument",
    columns=[
        "rupture_rule!",
        "instrument!",
        Column("rule_code", "text", "The rule's number, R1 to R9.", required=True),
        Column("rule_description", "text", "When a session shows a possible rupture.", required=True),
        Column(
            "rule_kind",
            "text",
            "The kind of rule: warehouse/clinic_file/rupture_rules.toml.",
            required=True,
            one_of=KINDS,
        ),
        "compared!",
        Column(
            "compares_with", "text", "The cut-off or change it compares with, and its operator; null where it has none."
        ),
        Column(
            "rule_sd", "number", "The standard deviation that counts, in points of the total; null where it has none."
        ),
        Column("sd_times", "number", "How many of these the fall must be; null where it has none."),
        Column("least_earlier_count", "integer", "Earlier scores that the rule needs.", between=(0, None)),
        Column("limit_width", "number", "Mean moving ranges below the mean, for control limits."),
        Column("repair_kind", "text", "When it counts as repaired.", required=True, one_of=REPAIRS),
        Column(
            "repair_within",
            "integer",
            "Rated sessions after the start within which it must be repaired; the number is Rapport's own.",
            required=True,
            between=(1, None),
        ),
        "fact_status!",
        "fact_source!",
        Column("is_rule_used", "truth", "False where a recalled fact is not accepted.", required=True),
    ],
)
def rupture_rules(clinic: Clinic) -> pl.LazyFrame:
    """One row per rule and questionnaire. A clinic states its own standard deviations in clinic.toml, [alliance_sd].
    Recalled rules are used only where clinic.toml accepts their threshold (accepted)."""
    rows = [_row(rule, each, clinic) for rule in clinic.rupture_rules for each in instruments_of(rule, clinic)]
    return pl.LazyFrame(rows, schema=_SCHEMA, infer_schema_length=None)


_TYPES = {"text": pl.String, "integer": pl.Int32, "number": pl.Float64, "truth": pl.Boolean}
_SCHEMA = {column.name: _TYPES[column.type] for column in rupture_rules.columns}


def _row(rule: RuptureRule, instrument: Instrument, clinic: Clinic) -> Mapping[str, object]:
    threshold = threshold_of(rule, instrument)
    return {
        "rupture_rule": rule.name,
        "instrument": instrument.name,
        "rule_code": rule.code,
        "rule_description": rule.description,
        "rule_kind": rule.kind,
        "compared": compared(rule, instrument),
        "compares_with": str(threshold.case) if threshold else None,
        "rule_sd": sd_of(rule, instrument, clinic),
        "sd_times": rule.times if rule.sd else None,
        "least_earlier_count": rule.least_earlier or None,
        "limit_width": rule.width,
        "repair_kind": rule.repair,
        "repair_within": rule.within,
        "fact_status": (threshold or rule).origin.status,
        "fact_source": rule.origin.source,
        "is_rule_used": is_used(rule, instrument, clinic),
    }


def instruments_of(rule: RuptureRule, clinic: Clinic) -> list[Instrument]:
    """Return the questionnaires of a rule: those that it names, else every alliance questionnaire with a total."""
    if rule.instruments:
        return [clinic.instruments[name] for name in rule.instruments if name in clinic.instruments]
    alliance = (each for each in clinic.instruments.values() if each.construct == "alliance")
    return [each for each in alliance if "total" in each.scale_names]


def threshold_of(rule: RuptureRule, instrument: Instrument) -> Threshold | None:
    """Return the cut-off or change that the rule names in the questionnaire's file; None where it names none."""
    return next((each for each in instrument.thresholds if each.name == rule.threshold), None)


def compared(rule: RuptureRule, instrument: Instrument) -> str:
    """Return what the rule compares: the total score, the lowest item, or a report."""
    if rule.kind == "report":
        return "report"
    threshold = threshold_of(rule, instrument)
    return "lowest_item" if threshold and threshold.of == "lowest_item" else "score"


def sd_of(rule: RuptureRule, instrument: Instrument, clinic: Clinic) -> float | None:
    """Return the standard deviation to use, in points of the total: the clinic's, else the rule's share of the
    range."""
    if rule.sd is None:
        return None
    low, high = instrument.range_of(instrument.scale("total"))
    stated = None if low is None or high is None else rule.sd / 100 * (high - low)
    return clinic.alliance_sd.get(instrument.name, stated)


def is_used(rule: RuptureRule, instrument: Instrument, clinic: Clinic) -> bool:
    """Return whether the rule is used: the facts that it needs are stated, and a recalled threshold is accepted."""
    if rule.sd is not None and sd_of(rule, instrument, clinic) is None:
        return False
    threshold = threshold_of(rule, instrument)
    return clinic.uses(instrument, threshold) if threshold else rule.threshold is None

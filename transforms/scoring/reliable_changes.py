"""The least change of a score beyond error: as published, and computed from SD and reliability."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from rapport.warehouse.clinic_file.clinic import Clinic
from rapport.warehouse.instruments import Instrument
from rapport.warehouse.instruments.reliable_change import Z_95, Computed, computed_changes
from rapport.warehouse.instruments.thresholds import Change
from rapport.warehouse.schema.columns import CRITERIA, FACT_STATUSES, RELIABILITIES, Column
from rapport.warehouse.schema.tables import table

USED = ("published", "local", "computed", "none")


@table(
    per="clinic",
    key="instrument change_name",
    columns=[
        "instrument!",
        "change_name!",
        "scale!",
        "population!",
        "compared!",
        "age_from",
        "age_to",
        Column("for_sex", "text", "The sex for which it is valid; null for all."),
        Column("for_raters", "text", "The raters for whom it is valid; null for all."),
        Column("stated_amount", "number", "As published, or as stated by the clinic; null where there is none."),
        Column(
            "stated_criterion", "text", "A change of exactly the amount counts (>=) or does not (>).", one_of=CRITERIA
        ),
        Column("stated_z", "number", "1.96 is 95 %, 1.645 is 90 %; null where its publication does not say."),
        "fact_status",
        "fact_source",
        Column(
            "computed_amount",
            "number",
            "z x SD x sqrt(2 x (1 - reliability)), Jacobson & Truax 1991: a change must be greater. It is in addition "
            "to the stated amount and never counts as published. Null without SD and reliability of one sample.",
        ),
        Column("computed_z", "number", "The z of the computed amount: that of the stated amount, else 1.96."),
        Column("sd", "number", "The sample's standard deviation."),
        Column("reliability", "number", "The sample's reliability.", between=(-1, 1)),
        Column(
            "reliability_kind", "text", "The kind of reliability: alpha, or else test_retest.", one_of=RELIABILITIES
        ),
        Column("sample", "text", "The sample of the computed amount."),
        Column("computed_status", "text", "Recalled where SD or reliability is recalled.", one_of=FACT_STATUSES),
        Column(
            "used",
            "text",
            "The amount that counts: published; local (stated by the clinic or by Rapport); computed, where no stated "
            "amount of the scale is used; or none.",
            required=True,
            one_of=USED,
        ),
        Column("used_amount", "number", "The amount that counts; null where none does."),
        Column("used_criterion", "text", "The comparison of a change with it.", one_of=CRITERIA),
        Column("why_not_used", "text", "Why no amount counts; null where one does."),
    ],
)
def reliable_changes(clinic: Clinic) -> pl.LazyFrame:
    """One row per instrument, scale and population for which a reliable change is stated or can be computed. Recalled
    facts count only where clinic.toml accepts them, as with thresholds."""
    rows = [row for each in clinic.instruments.values() for row in changes_of(each, clinic)]
    return pl.LazyFrame(rows, schema=_SCHEMA, orient="row")


_TYPES = {"text": pl.String, "integer": pl.Int32, "number": pl.Float64}
_SCHEMA = {column.name: _TYPES[column.type] for column in reliable_changes.columns}


def changes_of(instrument: Instrument, clinic: Clinic) -> list[Mapping[str, object]]:
    """Return the table's rows of one instrument."""
    computed = computed_changes(instrument)
    pairs: list[tuple[Change | None, Computed | None]]
    pairs = [(change, _beside(change, computed)) for change in instrument.changes]
    shown = [beside for _, beside in pairs]
    pairs += [(None, each) for each in computed if each not in shown]
    return [_row(instrument, clinic, stated, beside) for stated, beside in pairs]


def _beside(change: Change, computed: list[Computed]) -> Computed | None:
    """Return the computed change of the same sample, else the scale's first. T-scores have none."""
    of_scale = [each for each in computed if each.scale == change.scale and change.of == "score"]
    return next((each for each in of_scale if each.norm.sample == change.population.text), next(iter(of_scale), None))


def _row(
    instrument: Instrument, clinic: Clinic, stated: Change | None, beside: Computed | None
) -> Mapping[str, object]:
    z = (stated and stated.z) or Z_95
    return {
        **dict.fromkeys(_SCHEMA),
        "instrument": instrument.name,
        **(_unstated(beside) if beside else {}),
        **(_stated(stated) if stated else {}),
        **(_computed(beside, z) if beside else {}),
        **_used(instrument, clinic, stated, beside),
    }


def _stated(change: Change) -> Mapping[str, object]:
    whom = change.population
    return {
        "change_name": change.name,
        "scale": change.scale,
        "population": whom.text,
        "compared": change.of,
        "age_from": whom.age_from,
        "age_to": whom.age_to,
        "for_sex": whom.sex or None,
        "for_raters": " ".join(whom.respondents) or None,
        "stated_amount": change.amount,
        "stated_criterion": change.criterion,
        "stated_z": change.z,
        "fact_status": change.origin.status,
        "fact_source": change.origin.source,
    }


def _unstated(computed: Computed) -> Mapping[str, object]:
    name = f"computed {computed.norm.name}"
    return {"change_name": name, "scale": computed.scale, "population": computed.norm.sample, "compared": "score"}


def _computed(computed: Computed, z: float) -> Mapping[str, object]:
    statuses = {computed.norm.origin.status, computed.reliability.origin.status}
    return {
        "computed_amount": round(computed.at(z), 9),
        "computed_z": z,
        "sd": computed.norm.sd,
        "reliability": computed.reliability.low,
        "reliability_kind": computed.reliability.kind,
        "sample": computed.norm.sample,
        "computed_status": next(status for status in ("recalled", "local", "published") if status in statuses),
    }


def _used(
    instrument: Instrument, clinic: Clinic, stated: Change | None, beside: Computed | None
) -> Mapping[str, object]:
    if stated and clinic.uses(instrument, stated):
        used = "local" if stated.origin.status == "local" else "published"
        return {"used": used, "used_amount": stated.amount, "used_criterion": stated.criterion}
    of_scale = {change.scale for change in instrument.changes if clinic.uses(instrument, change)}
    if beside and beside.scale not in of_scale and _accepts(instrument, clinic, beside):
        amount = round(beside.at((stated and stated.z) or Z_95), 9)
        return {"used": "computed", "used_amount": amount, "used_criterion": ">"}
    stands = beside is not None and beside.scale in of_scale
    why = "the scale has a stated amount" if stands and not stated else _NOT_ACCEPTED
    return {"used": "none", "why_not_used": why}


_NOT_ACCEPTED = "its facts are recalled, not checked, and clinic.toml does not accept them (accepted)"


def _accepts(instrument: Instrument, clinic: Clinic, computed: Computed) -> bool:
    return clinic.uses(instrument, computed.norm) and clinic.uses(instrument, computed.reliability)

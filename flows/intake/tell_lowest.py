"""Sentences about questionnaires that an export may write on another range."""

from __future__ import annotations

from collections.abc import Iterator

from rapport.flows.workbench import Workbench
from rapport.warehouse.clinic_file.forms import Form
from rapport.warehouse.instruments import Instrument
from rapport.warehouse.intake.lowest_answers import never_lowest

# Between the lowest and the highest answer. On a wider range (a line of 0 to 10) few people ever mark the lowest.
WIDEST = 8


def tell_lowest(bench: Workbench) -> Iterator[str]:
    """A sentence for each form whose answers never hold the lowest value. A form with range or points is not judged."""
    clinic = bench.order.clinic
    forms = {(source.name, form.instrument): form for source in clinic.sources for form in source.forms}
    lowest = {key: clinic.instruments[form.instrument].minimum for key, form in forms.items()}
    judged = [
        (*key, least)
        for key, form in forms.items()
        if (least := lowest[key]) is not None and _is_judged(form, clinic.instruments[form.instrument])
    ]
    for each in never_lowest(bench.con, judged):
        form = forms[each.source, each.instrument]
        usual = clinic.instruments[each.instrument].usual_range
        yield (
            f"source {each.source}: none of {each.response_count:,} responses to {each.instrument} has an answer "
            f"{usual.minimum:g}, the lowest; if the export counts from another number, add its range to {form.name} in "
            f"clinic.toml (range = [lowest, highest]); if not, add range = [{usual.minimum:g}, {usual.maximum:g}]"
        )


def _is_judged(form: Form, instrument: Instrument) -> bool:
    is_told = form.range is not None or form.points is not None or form.ticked
    usual = instrument.usual_range
    return bool(form.items) and not is_told and not instrument.other_ranges and usual.maximum - usual.minimum <= WIDEST

"""The forms of a drafted section: which columns hold which questionnaire, who filled it in, and when."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from rapport.transforms.sources.drafting.columns import FILL_IN, Column, start_columns
from rapport.transforms.sources.drafting.questionnaires import Questionnaire, have_decimal_commas, null_words
from rapport.transforms.sources.drafting.recognition import Found
from rapport.transforms.sources.drafting.toml_lines import commented, key, line, written
from rapport.warehouse.clinic_file.formats import load_formats
from rapport.warehouse.presets import load_presets

MOST = 60  # columns that are listed for somebody to choose from
SHORT = 60  # characters of a column's name in a comment
_RECORDS_OWN = re.compile(r"^redcap_|_complete$|_timestamp$")


def answer_lines(found: Found) -> Iterator[str]:
    """How the section writes its answers: words for none, and the decimal comma."""
    items = [item for each in found.questionnaires for item in each.items]
    preset = load_presets()[found.preset].section.get("nulls", []) if found.preset else []
    if words := [word for word in null_words(items) if word not in preset]:
        yield line("nulls", [*preset, *words], "these stand among the answers: do they mean no answer?")
    if have_decimal_commas(items):
        yield line("decimal", ",")


def time_lines(found: Found) -> Iterator[str]:
    """When a survey was completed; a preset knows its tool's column."""
    if found.preset or found.format in load_presets():
        return
    if when := start_columns(found.columns):
        yield line("completed_at", when[0].key, "" if len(when) == 1 else "a time of day stands in another column")
    else:
        yield line("completed_at", FILL_IN, "no column looks like a date; or completed_on, or undated = true")


def form_lines(found: Found, name: str) -> Iterator[str]:
    """A section for each questionnaire, or a skeleton to be filled in."""
    is_flat = load_formats()[found.format].form_in_section
    if not found.questionnaires:
        yield from _skeleton(found, name, is_flat=is_flat)
        return
    only = is_flat and len(found.questionnaires) == 1
    taken: dict[str, int] = {}
    for each in found.questionnaires:
        if not only:
            taken[each.instrument] = taken.get(each.instrument, 0) + 1
            turn = taken[each.instrument]
            yield f"\n[sources.{key(name)}.forms.{key(each.instrument + (f'_{turn}' if turn > 1 else ''))}]"
        yield from _form(found, each)


def _form(found: Found, each: Questionnaire) -> Iterator[str]:
    yield line("instrument", each.instrument, each.told or None)
    yield line("rater", "client", "who fills it in")
    yield line("items", [item.key for item in each.items]) + _names(each.items)
    if each.points:
        yield line("points", each.points)
    if found.format == "redcap":
        yield from _of_redcap(found, each.instrument, each.items)
    elif each.form:
        yield line("form", each.form)


def _names(items: Sequence[Column]) -> str:
    """The first and the last column, where places stand for names."""
    if items[0].key == items[0].name or not items[0].name:
        return ""
    return f"  # {written(items[0].name[:SHORT])} to {written(items[-1].name[:SHORT])}"


def _of_redcap(found: Found, name: str, items: Sequence[Column]) -> Iterator[str]:
    """The form that the items belong to, and when it was filled in."""
    form = _form_of(found.columns, items[-1])
    if form and form != name:
        yield line("form", form)
    if _has_stamp(found, form or name):
        return
    stamps = [each for each in found.columns if each.name.endswith("_timestamp")]
    if when := stamps or start_columns(found.columns):
        yield line("completed_at", when[0].key, "the export has no timestamp of this form")
    else:
        yield line("completed_at", FILL_IN, "no field looks like a date; export survey fields, or completed_on")


def _has_stamp(found: Found, form: str) -> bool:
    return any(each.name == f"{form}_timestamp" for each in found.columns)


def _redcap_forms(columns: Sequence[Column]) -> dict[str, list[str]]:
    """The fields of each form of a REDCap project, without the record's own columns."""
    forms: dict[str, list[str]] = {}
    for each in columns[1:]:
        if not _RECORDS_OWN.search(each.name) and (form := _form_of(columns, each)):
            forms.setdefault(form, []).append(written(each.key))
    return forms


def _form_of(columns: Sequence[Column], item: Column) -> str | None:
    """REDCap closes each form's fields with <form>_complete."""
    closing = (each.name for each in columns if each.place > item.place and each.name.endswith("_complete"))
    name = next(closing, None)
    return name.removesuffix("_complete") if name else None


def _skeleton(found: Found, name: str, *, is_flat: bool) -> Iterator[str]:
    """A form for somebody to fill in, and the columns to choose from."""
    forms = _redcap_forms(found.columns) if found.format == "redcap" else found.links
    for form, columns in (forms or {"": _to_choose_from(found.columns)}).items():
        yield from commented(["? no questionnaire was recognised. Its columns may be among these:"])
        yield from commented(f"  {each}" for each in columns)
        lines = [line("instrument", "srs", "a name of INSTRUMENTS.md"), line("rater", "client", "who fills it in")]
        lines.append(line("items", [FILL_IN] * 4, "its columns, in the order of its items"))
        if form and found.format != "redcap":
            lines.append(line("form", form))
        if is_flat:
            yield from lines
            continue
        heading = f"[sources.{key(name)}.forms.{key(form or 'form')}]"
        if found.format == "redcap":
            lines += [] if _has_stamp(found, form) else [line("completed_at", FILL_IN, "the field of its time")]
        yield from ["", heading, *lines]


def _to_choose_from(columns: Iterable[Column]) -> list[str]:
    """The columns, each as clinic.toml names it; behind a place the beginning of its name."""
    free = [each for each in columns if not _RECORDS_OWN.search(each.name)]
    told = [
        written(each.key) + (f"  {written(each.name[:SHORT])}" if each.key != each.name and each.name else "")
        for each in free[:MOST]
    ]
    return told + ([f"and {len(free) - MOST:,} more"] if len(free) > MOST else [])

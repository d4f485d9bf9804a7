"""The reference of the clinic's file and its JSON schemas: true, and as strict as Rapport where a schema can be."""

import json
import re
import tomllib
from datetime import date

import pytest
from jsonschema import Draft7Validator

from rapport.flows.demo.clinic_file import clinic_file
from rapport.flows.reference.clinic_file import FOLDER, files
from rapport.flows.reference.toml_schemas import _kind, clinic_schema, instrument_schema
from rapport.warehouse.instruments import HERE as INSTRUMENTS
from rapport.warehouse.toml_keys.keys import TOP, declared
from rapport.warehouse.toml_keys.kinds import KINDS
from tests.breaking import damaged_facts
from tests.clinics import nights, real_clinics
from tests.house.test_readme import CLINIC_FILES
from tests.warehouse.clinic_file import test_clinic_file_refused as refused

CLINIC, INSTRUMENT = Draft7Validator(clinic_schema()), Draft7Validator(instrument_schema())
VALUES = [
    *("", " ", "a", "1 day", "soon", "2026-01-31", "Europe/London", "iso", "a\nb", True, False),
    *(0, 1, 2, 4, -1, 0.5, 1.5, 17, 150, 151, 8784, 8785, 10**6 + 1, 10**9 + 1, -(10**9) - 1),
    *([], ["a"], [""], ["a", 1], [1, 2], [1.5], [1, 9000], [1, 2, 3], [True], [[]], {}, {"a": 1}),
]
# What only Rapport sees: the words of a kind that a library knows, a text of several lines or too long for a path.
RAPPORT_ALONE = {
    ("day", ""),
    ("day", " "),
    ("day", "a"),
    ("day", "1 day"),
    ("day", "soon"),
    ("day", "Europe/London"),
    ("day", "iso"),
}
RAPPORT_ALONE |= {("day", "a\nb"), ("path", "a\nb")}
KEYS = [(section, name, key) for section, keys in declared().items() for name, key in keys.items()]


def as_json(value: object) -> object:
    """What a JSON schema sees of TOML: days as text."""
    return json.loads(json.dumps(value, default=lambda day: day.isoformat() if isinstance(day, date) else None))


def wrong(validator: Draft7Validator, text: str) -> list[str]:
    return [error.message for error in validator.iter_errors(as_json(tomllib.loads(text)))]


@pytest.mark.parametrize("name", files())
def test_the_files_are_what_the_declared_keys_say(name):
    assert (FOLDER / name).read_text(encoding="utf-8") == files()[name], "run rapport clinic-file-page"


@pytest.mark.parametrize(("section", "name", "key"), KEYS, ids=[f"{section}.{name}" for section, name, _ in KEYS])
def test_the_example_and_the_default_of_a_key_are_what_it_takes(section, name, key):
    example = tomllib.loads(f"it = {key.example}")["it"]
    key.read(TOP, name, example)
    assert not list(Draft7Validator(_kind(key)).iter_errors(as_json(example)))
    if key.default not in (None, "", []):
        key.read(TOP, name, key.default)
    assert example != key.default, "an example shows another value than the default"
    assert re.fullmatch(r"[A-Z][^|\n]*[.)]", key.meaning), "a meaning is sentences"
    assert not (key.needed and key.default is not None)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_and_its_schema_take_the_same_values(kind):
    schema = Draft7Validator(KINDS[kind].schema)
    differ = {(kind, str(value)) for value in VALUES if KINDS[kind].is_one(value) != schema.is_valid(value)}
    time_spans = {("time span", str(value)) for value in VALUES if isinstance(value, str)}  # read, then refused
    assert differ <= RAPPORT_ALONE | time_spans


@pytest.mark.parametrize(
    "text",
    [
        *(clinic_file(), nights.CLINIC, damaged_facts.CLINIC, *CLINIC_FILES),
        *(refused.ZONE + section for section in (refused.SOURCE, refused.WIDE, refused.TABLE)),
        refused.ZONE + refused.SOURCE + refused.FORM,
        *(text for text, *_ in real_clinics.CLINICS.values()),
    ],
)
def test_the_schema_takes_the_clinic_files_that_rapport_takes(text):
    assert wrong(CLINIC, text) == []


@pytest.mark.parametrize("path", sorted(INSTRUMENTS.glob("*.toml")), ids=lambda path: path.stem)
def test_the_schema_takes_the_questionnaires(path):
    assert wrong(INSTRUMENT, path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        'time_zon = "UTC"',
        refused.ZONE + "quarantine_limit = 20",
        refused.ZONE + 'closed = ["sundays"]',
        refused.ZONE + "[keep]\nyears_after_closing = 0",
        refused.ZONE + refused.SOURCE + 'fromat = "x"',
        refused.ZONE + refused.SOURCE + 'dates = "decide"',
        refused.ZONE + refused.SOURCE + 'encoding = "ascii"',
        refused.ZONE + refused.SOURCE + refused.FORM + 'ratter = "x"',
        refused.ZONE + refused.SOURCE + 'clients = { sex = { column = "s" } }',
        refused.ZONE + '[sources.it]\npreset = "fhir"\nfiles = "*"\nsheet = "One"',
        refused.ZONE + '[sources.appointments]\ndates = "decide"',
        "schedule = 3",
    ],
)
def test_the_schema_marks_what_rapport_refuses(tmp_path, text):
    assert refused.refusal(tmp_path, text)
    assert wrong(CLINIC, text) != []

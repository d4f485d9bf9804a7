"""JSON schemas of clinic.toml and of a questionnaire's file, made from the declared keys for editors that know TOML.

A schema accepts every file that Rapport accepts. It does not check rules between keys, such as a key that another key
needs.
"""

from __future__ import annotations

import tomllib
from typing import Any

from rapport.warehouse.clinic_file.formats import load_formats
from rapport.warehouse.presets import load_presets
from rapport.warehouse.toml_keys.keys import Key, keys_of
from rapport.warehouse.toml_keys.kinds import KINDS

DIALECT = "http://json-schema.org/draft-07/schema#"  # what Taplo reads
Schema = dict[str, Any]


def clinic_schema() -> Schema:
    """The JSON schema of clinic.toml."""
    return {"$schema": DIALECT, "title": "clinic.toml of Rapport", **_section("schedule monitoring clinic")}


def instrument_schema() -> Schema:
    """The JSON schema of a questionnaire's file."""
    return {"$schema": DIALECT, "title": "A questionnaire of Rapport", **_section("instrument origin")}


def _section(names: str) -> Schema:
    if names == "source":
        return _source()
    keys = keys_of(*names.split())
    needed = [name for name, key in keys.items() if key.needed and names != "form"]  # a form's section may have the key
    return _object({name: _key(key) for name, key in keys.items()}) | ({"required": needed} if needed else {})


def _object(properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _key(key: Key) -> Schema:
    schema = {"description": key.meaning, **_kind(key), "examples": [_example(key)]}
    return schema if key.default is None else {**schema, "default": key.default}


def _kind(key: Key) -> Schema:
    schema = dict(KINDS[key.kind].schema)
    words = {"enum": list(key.words)} if key.words else {}
    if key.kind == "text or section":
        return {"anyOf": [{"type": "string", **words}, _section(key.keys)]}
    if key.keys:
        return _section(key.keys)
    if key.each:
        return {"type": "object", "additionalProperties": _each(key.each)}
    return {**schema, "items": {**schema["items"], **words}} if schema.get("type") == "array" else {**schema, **words}


def _each(each: str) -> Schema:
    return KINDS[each].schema if each in KINDS else _section(each)


def _example(key: Key) -> Any:  # noqa: ANN401  an example may be of any kind; JSON has no dates
    example = tomllib.loads(f"it = {key.example}")["it"]
    return str(example) if key.kind == "day" else example


def _source() -> Schema:
    """The schema of a section of [sources]: every key is known, and keys that its format does not take are refused."""
    keys = keys_of("form", "source", "of_formats")
    properties = {name: _key(key) for name, key in keys.items()}
    properties["format"]["enum"], properties["preset"]["enum"] = list(load_formats()), list(load_presets())
    return _object(properties) | {"allOf": [_taken(name) for name in load_formats()]}


def _taken(name: str) -> Schema:
    form = load_formats()[name]
    taken = [*keys_of("source"), *form.takes, *(keys_of("form") if form.form_in_section else ())]
    presets = [each.name for each in load_presets().values() if each.section["format"] == name]
    unsaid: Schema = {"not": {"required": ["format"]}}
    ways: list[Schema] = [{"required": ["format"], "properties": {"format": {"const": name}}}]
    ways += [{**unsaid, "required": ["preset"], "properties": {"preset": {"enum": presets}}}] if presets else []
    ways += [{"allOf": [unsaid, {"not": {"required": ["preset"]}}]}] if name == "plain" else []
    return {"if": {"anyOf": ways}, "then": {"propertyNames": {"enum": taken}}}

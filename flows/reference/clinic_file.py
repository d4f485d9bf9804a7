"""Writes docs/reference/clinic-file.md and two JSON schemas from the declared keys: `rapport clinic-file-page`.

The page has every key of clinic.toml and of a questionnaire's file. The schemas are for editors that know TOML. A test
compares all three with the declared keys.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from rapport.flows.reference.toml_schemas import clinic_schema, instrument_schema
from rapport.warehouse.clinic_file.formats import load_formats
from rapport.warehouse.toml_keys.keys import TOP, Key, keys_of, within
from rapport.warehouse.toml_keys.kinds import KINDS

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "reference"
INTRODUCTION = """# The clinic's file, key by key

Written by `rapport clinic-file-page` from the declared keys (`warehouse/toml_keys/*.toml`) and the fact sheets of the
formats (`warehouse/clinic_file/formats/*.toml`). README.md has a clinic file with explanations.

An editor that knows TOML (Taplo, Even Better TOML) completes the keys, explains them and marks mistakes, where the
file's first line names the schema beside this page:

```toml
#:schema docs/reference/clinic.schema.json
```

A questionnaire's file does so with `docs/reference/instrument.schema.json`.
"""
CLINIC, INSTRUMENT = "schedule monitoring clinic", "instrument origin"  # the sections at the top of each file


def files() -> dict[str, str]:
    """The generated files by name, each with its content."""
    schemas = {"clinic.schema.json": clinic_schema(), "instrument.schema.json": instrument_schema()}
    texts = {name: json.dumps(schema, indent=1, ensure_ascii=False) + "\n" for name, schema in schemas.items()}
    return {"clinic-file.md": page(), **texts}


def page() -> str:
    """The whole page as Markdown."""
    parts = [INTRODUCTION, "## clinic.toml\n", *_tables(CLINIC), "## Formats\n", _formats()]
    return "\n".join([*parts, "## A questionnaire's file\n", *_tables(INSTRUMENT)])


def _tables(top: str) -> Iterator[str]:
    """One table per kind of section, under its first place in the file."""
    met: set[str] = set()
    for where, sections in _sections(TOP, top):
        if sections not in met:
            met.add(sections)
            yield f"### {'Above the sections' if where == TOP else f'`{where}`'}\n\n{_table(sections)}"


def _sections(where: str, names: str) -> Iterator[tuple[str, str]]:
    yield where, names
    for name, key in keys_of(*names.split()).items():
        if key.keys:
            yield from _sections(within(where, name), key.keys)
        elif key.each and key.each not in KINDS:
            yield from _sections(f"{within(where, name)[:-1]}.NAME]", all_of(key.each))


def all_of(section: str) -> str:
    """The declared sections of a section: a source has keys for every format, and keys for some formats."""
    return f"{section} of_formats" if section == "source" else section


def _table(sections: str) -> str:
    of_formats = keys_of("of_formats") if "of_formats" in sections else {}
    columns = ["key", "meaning", "value", "default", "example", *(["formats"] if of_formats else [])]
    rows = [
        [f"`{name}`", key.meaning, _value(key), _default(key), _code(f"{name} = {key.example}")]
        + ([_formats_of(name, of_formats)] if of_formats else [])
        for name, key in keys_of(*sections.split()).items()
    ]
    return _markdown(columns, rows)


def _value(key: Key) -> str:
    kind = KINDS[key.kind]
    if not key.words:
        return kind.told
    return f"{'a list of' if kind.schema.get('type') == 'array' else 'one of'} {', '.join(key.words)}"


def _default(key: Key) -> str:
    if key.needed:
        return "needed"
    is_said = key.default not in (None, "", [], {})
    return key.usual or (_code(json.dumps(key.default)) if is_said else "none")


def _formats_of(name: str, of_formats: Mapping[str, Key]) -> str:
    if name not in of_formats:
        return "every format"
    return ", ".join(each.name for each in load_formats().values() if name in each.takes)


def _formats() -> str:
    rows = [
        [f"`{each.name}`", each.title, ", ".join(each.holds), "yes" if each.form_in_section else ""]
        for each in load_formats().values()
    ]
    return _markdown(["format", "what it reads", "records", "a form's keys may stand in its section"], rows)


def _code(text: str) -> str:
    return f"`{text}`"


def _markdown(columns: list[str], rows: list[list[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def main(argv: list[str] | None = None) -> int:
    """Write the page and the schemas."""
    argparse.ArgumentParser(prog="rapport clinic-file-page", description=__doc__).parse_args(argv)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in files().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    return 0

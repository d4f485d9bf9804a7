"""The formats of exports: one fact sheet per format in this folder, with the facts that the rest of Rapport needs.

The module of the same name in transforms/sources reads its files. A new format needs these two files.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from rapport.warehouse.code_marks import registry
from rapport.warehouse.errors import Unusable
from rapport.warehouse.toml_keys.keys import TOP, keys_of, read
from rapport.warehouse.toml_keys.kinds import nearest

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Format:
    """The facts of a format. Each key is declared in warehouse/toml_keys/rapport.toml."""

    name: str
    title: str
    holds: tuple[str, ...]
    takes: tuple[str, ...]
    header_rows: int
    line_is_record: tuple[str, ...]
    needs_client_id: bool
    form_in_section: bool
    source: Mapping[str, Any]
    reader: str
    opener: str | None
    header: str | None


@registry
@cache
def load_formats() -> dict[str, Format]:
    """Return all formats by name. Raises Unusable for a fact sheet with a wrong key or value."""
    return {path.stem: _read(path) for path in sorted(HERE.glob("*.toml"))}


def _read(path: Path) -> Format:
    try:
        told = read(TOP, tomllib.loads(path.read_text(encoding="utf-8")), keys_of("format"))
        _check_keys(told["takes"])
    except ValueError as error:
        raise Unusable(f"fact sheet warehouse/clinic_file/formats/{path.name}: {error}") from None
    return Format(name=path.stem, **told)


def _check_keys(takes: tuple[str, ...]) -> None:
    known = keys_of("of_formats")
    for key in takes:
        if key not in known:
            raise ValueError(f"takes names '{key}'; declare it in warehouse/toml_keys/sources.toml, [of_formats.{key}]")


@registry
def format_of(place: str, name: object) -> Format:
    """Return the format of this name. Raises ValueError, which says what to write."""
    formats = load_formats()
    if isinstance(name, str) and name in formats:
        return formats[name]
    sheet, module = f"warehouse/clinic_file/formats/{name}.toml", f"transforms/sources/{name}.py"
    hint = nearest(str(name), formats, f"a new format is a fact sheet {sheet} and a module {module}")
    raise ValueError(f"{place} = '{name}' is not one of {', '.join(formats)}; {hint}")

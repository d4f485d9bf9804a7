"""Known systems as data: one TOML file per system, in this folder. A preset holds keys of a source's section.

A key in clinic.toml wins over the preset's. Where a vendor's column names are not public, the preset has the words and
the clinic names the columns. `checked_against` names the documents or exports in which its facts were seen.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from rapport.warehouse.toml_keys.keys import keys_of, read
from rapport.warehouse.toml_keys.kinds import one_of

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Preset:
    """The keys that all exports of a system have in common."""

    name: str
    title: str
    checked_against: str
    section: Mapping[str, Any]


@cache
def load_presets() -> dict[str, Preset]:
    """Return all presets by name."""
    return {path.stem: _read(path) for path in sorted(HERE.glob("*.toml"))}


def _read(path: Path) -> Preset:
    facts = tomllib.loads(path.read_text(encoding="utf-8"))
    told = read(f"preset file {path.name}", facts, keys_of("preset"))
    return Preset(path.stem, told["title"], told["checked_against"], told["source"])


def with_preset(where: str, section: Mapping[str, Any]) -> dict[str, Any]:
    """Return a source's section, completed from its preset. Raises ValueError where there is no such preset."""
    if "preset" not in section:
        if "without" in section:
            raise ValueError(f"{where} has the key 'without' and no preset; remove it")
        return dict(section)
    presets = load_presets()
    preset = presets[one_of(f"{where} preset", section["preset"], presets)]
    taken = keys_of("source")["without"].read(where, "without", section.get("without", []))
    for key in taken:
        one_of(f"{where} without", key, [each for each in preset.section if each != "format"])
    below = {key: value for key, value in preset.section.items() if key not in taken}
    return {key: value for key, value in merged(below, section).items() if key not in ("preset", "without")}


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return two sections as one. The keys of `above` win and come first."""
    both = {
        key: merged(below[key], value) if isinstance(value, Mapping) and isinstance(below.get(key), Mapping) else value
        for key, value in above.items()
    }
    return {**both, **{key: value for key, value in below.items() if key not in above}}

"""Section [spaces] and key retired_spaces of clinic.toml, read together."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from rapport.warehouse.clinic_file.contradicting_spaces import place_of, refuse_contradictions
from rapport.warehouse.clinic_file.id_spaces import Spaces
from rapport.warehouse.toml_keys.keys import keys_of, read
from rapport.warehouse.toml_keys.kinds import name_in_one_line


def read_spaces(section: Mapping[str, Mapping[str, Any]], retired: Collection[str], used: Collection[str]) -> Spaces:
    """Return the id spaces of a clinic file. `used`: the spaces of the sections of [sources]. Raises ValueError, which
    says what to do."""
    keys = keys_of("space")
    for name, facts in section.items():
        name_in_one_line("[spaces] a name", name)
        read(place_of(name), facts, keys)
        if not facts:
            raise ValueError(f"{place_of(name)} is empty; add {', '.join(keys)}, or remove it")
    was, same_as = ({name: facts[key] for name, facts in section.items() if key in facts} for key in ("was", "same_as"))
    fresh = frozenset(name for name, facts in section.items() if facts.get("new_numbers"))
    spaces = Spaces(tuple(dict.fromkeys(used)), tuple(retired), was, same_as, fresh)
    refuse_contradictions(spaces, section)
    return spaces

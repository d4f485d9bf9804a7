"""The memory that the reading of one export may use: key `memory` of clinic.toml."""

from __future__ import annotations

import os
import re

LEAST = 64 << 20  # bytes; the libraries alone need about this much
USUAL_LEAST = 1 << 30
_UNITS = {"MB": 10**6, "MiB": 1 << 20, "GB": 10**9, "GiB": 1 << 30}


def usual_memory() -> int:
    """Return the default: a quarter of the machine's memory, at least 1 GiB, in bytes."""
    return max(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 4, USUAL_LEAST)


def memory_of(key: str, text: str) -> int:
    """Return an amount of memory in bytes. Raises ValueError with the key."""
    found = re.fullmatch(r"([0-9]{1,6}) ?(MB|MiB|GB|GiB)", text.strip())
    if not found or (amount := int(found[1]) * _UNITS[found[2]]) < LEAST:
        raise ValueError(f"{key} = '{text}' is not an amount of memory from {in_words(LEAST)} up, such as '4 GiB'")
    return amount


def in_words(amount: int) -> str:
    """Return an amount as text, such as '4 GiB'."""
    return f"{amount / (1 << 30):,.3g} GiB" if amount >= 1 << 30 else f"{amount >> 20} MiB"

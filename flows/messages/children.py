"""The environment of programs that a command starts: without the keys, addresses and passwords of this one.

A program that only tells, or only serves, could write its environment into a log. Runs of a Prefect worker or of
`flows.serve` load, so they have the keys.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

OURS = "RAPPORT_"
PREFECTS = "PREFECT_"  # its password, and the address of its database with another


def environment(*without: str) -> dict[str, str]:
    """This process's environment without the variables whose names begin so."""
    return {name: value for name, value in os.environ.items() if not name.startswith(without)}


@contextmanager
def keys_hidden() -> Iterator[None]:
    """For a library that starts its programs itself: they inherit nothing of ours, and nobody else reads its files."""
    ours = {name: value for name, value in os.environ.items() if name.startswith(OURS)}
    mask = os.umask(0o077)
    for name in ours:
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(ours)
        os.umask(mask)

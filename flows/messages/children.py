"""The environment of programs that a command starts: without Rapport's keys, addresses and passwords.

A program that sends messages, or a server, could write its environment into a log. Only the runs of a Prefect worker or
of `rapport serve` load data, so they get the keys.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

OURS = "RAPPORT_"
PREFECTS = "PREFECT_"  # among them Prefect's password, and the address of its database, which may have a password


def environment(*without: str) -> dict[str, str]:
    """This process's environment, without the variables whose names begin with one of these prefixes."""
    return {name: value for name, value in os.environ.items() if not name.startswith(without)}


@contextmanager
def keys_hidden() -> Iterator[None]:
    """Hide Rapport's variables from the programs that a library starts, and keep other users from its new files."""
    ours = {name: value for name, value in os.environ.items() if name.startswith(OURS)}
    mask = os.umask(0o077)
    for name in ours:
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(ours)
        os.umask(mask)

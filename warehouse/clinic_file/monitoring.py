"""The clinic file's keys for monitoring: the clinic's name, the command on failure, and the file of metrics.

Each of these keys is also read alone from a broken clinic file: that failure must be reported too.
"""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

from rapport.warehouse.places.small_files import read_small, text_of
from rapport.warehouse.toml_files import read_toml

_Read = TypeVar("_Read")
_NAME = r"\w[\w .-]{0,59}"  # a part of the names that Prefect allows for a deployment
_NOT_IN_A_NAME = r"[^\w .-]+"


@dataclass(frozen=True)
class Monitoring:
    """A clinic's name; the command that reports a failure, as words (empty: none); the file of its metrics."""

    name: str
    on_failure: tuple[str, ...] = ()
    metrics: Path | None = None

    @property
    def slug(self) -> str:
        """The name in small letters, digits and dashes. Where letters are lost, six digits of a hash follow."""
        slug = re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")
        return slug if slug == self.name else f"{slug}-{sha256(self.name.encode()).hexdigest()[:6]}".lstrip("-")


def monitoring_of(told: Mapping[str, Any], folder: Path) -> Monitoring:
    """Return the monitoring keys of a clinic file in this folder. Raises ValueError with the key."""
    name, on_failure = _name(told["name"], folder), _on_failure(told["on_failure"], folder)
    return Monitoring(name, on_failure, _metrics(told["metrics"], folder))


def read_monitoring(path: Path) -> Monitoring:
    """Return the monitoring keys of a file that may be broken. A key that is unusable or not found counts as
    missing."""
    facts, folder = _found(path), path.parent
    return Monitoring(
        _usable(_name, facts.get("name"), folder),
        _usable(_on_failure, facts.get("on_failure"), folder),
        _usable(_metrics, facts.get("metrics"), folder),
    )


def _name(text: str | None, folder: Path) -> str:
    if text is None:
        return re.sub(_NOT_IN_A_NAME, "-", folder.resolve().name).strip(" .-")[:60] or "clinic"
    if not re.fullmatch(_NAME, text):
        raise ValueError(
            f"name = '{text}' is not up to 60 letters, digits, blanks, dots, dashes and underscores; shorten it, or "
            "leave the others out"
        )
    return text


def _on_failure(text: str | None, _: Path) -> tuple[str, ...]:
    if text is None:
        return ()
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise ValueError(f"on_failure is no command ({str(error).lower()}); close each quote, as in a shell") from None
    if not words or not words[0] or "\0" in text:
        raise ValueError("on_failure is no command: its first word is the program to run")
    return tuple(words)


def _metrics(text: str | None, folder: Path) -> Path | None:
    if text is None:
        return None
    if not text.endswith(".prom"):
        raise ValueError(f"metrics = '{text}' does not end in .prom, and a textfile collector reads nothing else")
    return folder / text


def _usable(read: Callable[[str | None, Path], _Read], value: object, folder: Path) -> _Read:
    with suppress(ValueError):
        return read(value if isinstance(value, str) and value.strip() else None, folder)
    return read(None, folder)


def _found(path: Path) -> dict[str, object]:
    try:
        return read_toml(path, "clinic file")
    except Exception:  # a fault of Rapport too: it must be reported
        return _line_by_line(path)


def _line_by_line(path: Path) -> dict[str, object]:
    """Return the keys above the first section of a file that is not TOML as a whole."""
    facts: dict[str, object] = {}
    try:
        lines = text_of(read_small(path, ""), "replace").splitlines()
    except ValueError:
        return facts
    for line in lines:
        if line.lstrip().startswith("["):
            break
        with suppress(ValueError, RecursionError):
            facts |= tomllib.loads(line)
    return facts

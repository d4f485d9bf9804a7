"""The planted records that a night must find, by file, record number and rule."""

import json
from pathlib import Path
from typing import Any

from rapport.flows.demo.defects import DUPLICATE
from rapport.flows.demo.nights import Delivery


class Truth:
    """The planted records, collected while the files are written."""

    def __init__(self, **settings: object) -> None:
        self.settings = settings
        self.files: dict[str, int] = {}
        self.defects: list[dict[str, object]] = []
        self.duplicates: list[dict[str, object]] = []

    def note(self, delivery: Delivery) -> None:
        self.files[delivery.name] = delivery.lines.height
        for record in delivery.planted().iter_rows(named=True):
            kind = self.duplicates if record["reason"] == DUPLICATE else self.defects
            kind.append({"file": delivery.name} | record)

    def facts(self) -> dict[str, Any]:
        found = {"defects": self.defects, "duplicates": self.duplicates}
        return self.settings | {"files": self.files} | found

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(self.facts(), indent=1) + "\n", encoding="utf-8")


def earlier_files(path: Path) -> list[str]:
    """The names of an earlier run's files, from its truth.json, so that they can be removed."""
    return list(json.loads(path.read_text(encoding="utf-8"))["files"]) if path.exists() else []

"""What a night has to find: every planted record by file, record number and reason."""

import json
from pathlib import Path
from typing import Any

from rapport.flows.demo.defects import DUPLICATE
from rapport.flows.demo.nights import Delivery


class Truth:
    """The list as it grows while the files are written."""

    def __init__(self, **asked: object) -> None:
        self.asked = asked
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
        return self.asked | {"files": self.files} | found

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(self.facts(), indent=1) + "\n", encoding="utf-8")


def earlier_files(path: Path) -> list[str]:
    """The files that the truth of an earlier run names, so that its nights do not stay among the new ones."""
    return list(json.loads(path.read_text(encoding="utf-8"))["files"]) if path.exists() else []

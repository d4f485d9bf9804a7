"""Questions: the front matter of each .sql file here, and its query. The file's stem is the view `dashboard.<stem>`."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

KEYS = {"title", "question", "columns", "note"}
_FRONT_MATTER = re.compile(r"\A/\*(.*?)\*/", re.DOTALL)


def load_questions(folder: Path = Path(__file__).parent) -> dict[str, tuple[str, str, dict[str, str]]]:
    """Every question: name -> (query, question and note, its columns' descriptions)."""
    return {path.stem: read_question(path) for path in sorted(folder.glob("*.sql"))}


def read_question(path: Path) -> tuple[str, str, dict[str, str]]:
    """One question. Raises ValueError when its front matter has missing or unknown keys."""
    sql = path.read_text(encoding="utf-8")
    front = _FRONT_MATTER.match(sql)
    facts = tomllib.loads(front[1]) if front else {}
    if facts.keys() != KEYS:
        wrong = ", ".join(sorted(facts.keys() ^ KEYS))
        raise ValueError(
            f"{path.name}: its first comment must have exactly the keys {', '.join(sorted(KEYS))}; see {wrong}"
        )
    query = sql[front.end() :].strip().rstrip(";")
    return query, f"{facts['question']} {facts['note']}", dict(facts["columns"])

"""The checks of records and tables. Great Expectations is used only here."""

from __future__ import annotations

from rapport.warehouse.code_marks import code_of, digest
from rapport.warehouse.schema.records import KINDS

# The functions of the records' rules, by name: importing them, with Great Expectations, takes seconds.
RECORD_RULES = (f"{__name__}.records:record_rules", f"{__name__}.suite_outcomes:check")


def rules_version() -> str:
    """A fingerprint of the records' rules. When it changes, files with rows in quarantine are read again."""
    code = code_of(*RECORD_RULES)
    return digest(code.mark, code.facts(KINDS))

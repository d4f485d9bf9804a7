"""Great Expectations lives only here: what columns promise, and what one table's suite adds."""

from __future__ import annotations

from rapport.warehouse.code_marks import code_of, digest
from rapport.warehouse.schema.records import KINDS

# What the records' rules are made of, named and not imported: Great Expectations takes seconds.
RECORD_RULES = (f"{__name__}.records:record_rules", f"{__name__}.suite_outcomes:check")


def rules_version() -> str:
    """A fingerprint of the records' rules: when they change, files whose rows wait in quarantine are read again."""
    code = code_of(*RECORD_RULES)
    return digest(code.mark, code.facts(KINDS))

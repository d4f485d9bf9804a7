"""The share of held records: of each file of tonight, and of each source."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import duckdb


@dataclass(frozen=True)
class HeldShare:
    """How many records of a file, or of several files of one source, are held back by a rule."""

    source: str
    file_ids: tuple[str, ...]  # those with the most held records first
    held_count: int
    record_count: int  # records with content; without those that an operator discarded
    rules: tuple[str, ...]  # each with its column

    @property
    def is_most(self) -> bool:
        """Whether more than half of the records are held back."""
        return 2 * self.held_count > self.record_count

    @property
    def is_all(self) -> bool:
        """Whether there are records, and all are held back."""
        return 0 < self.record_count == self.held_count

    def is_more_than(self, limit: float) -> bool:
        """Whether more than the share `limit` of the records is held back."""
        return self.held_count > limit * self.record_count

    @property
    def told(self) -> str:
        """The counts and the rules: 3 of 4 records quarantined (unreadable (starts_at))."""
        rules = f" ({', '.join(self.rules)})" if self.rules else ""
        return f"{self.held_count:,} of {self.record_count:,} records quarantined{rules}"


def held_by_file(con: duckdb.DuckDBPyConnection) -> list[HeldShare]:
    """Return the shares of tonight's files, also of those without held records. Records that an operator discarded do
    not count: somebody has decided about them. A record that contradicts another file counts as readable."""
    rows = con.sql("""
        WITH decided AS (
            SELECT file_id, sum(n)::INTEGER AS discarded FROM (
                SELECT file_id, record_number, max(record_count) AS n FROM load.quarantine
                WHERE state <> 'released' GROUP BY ALL HAVING bool_and(state = 'discarded'))
            GROUP BY file_id),
        broken AS (
            SELECT file_id, list_sort(list(DISTINCT rule
                || CASE WHEN column_name = '' THEN '' ELSE ' (' || column_name || ')' END)) AS broken_rules
            FROM staged.held_records GROUP BY file_id),
        contradicted AS (
            SELECT file_id, sum(contradicted_count)::INTEGER AS contradicted FROM staged.contradicted GROUP BY file_id)
        SELECT source, [f.file_id::VARCHAR],
            greatest(quarantined_count - coalesce(discarded, 0) - coalesce(contradicted, 0), 0),
            record_count - header_count - blank_or_footer_count - ignored_count - coalesce(discarded, 0),
            coalesce(broken_rules, [])
        FROM staged.files AS f LEFT JOIN decided USING (file_id) LEFT JOIN broken USING (file_id)
            LEFT JOIN contradicted USING (file_id)
        ORDER BY quarantined_count DESC, f.file_number""").fetchall()
    return [HeldShare(source, tuple(ids), held, count, tuple(rules)) for source, ids, held, count, rules in rows]


def held_by_source(files: Iterable[HeldShare]) -> list[HeldShare]:
    """Return the shares of sources, each the sum of its files."""
    sums: dict[str, HeldShare] = {}
    for each in files:
        known = sums.get(each.source, HeldShare(each.source, (), 0, 0, ()))
        sums[each.source] = HeldShare(
            each.source,
            known.file_ids + each.file_ids,
            known.held_count + each.held_count,
            known.record_count + each.record_count,
            tuple(sorted({*known.rules, *each.rules})),
        )
    return list(sums.values())

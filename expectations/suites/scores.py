"""Table scores: a score says whether every item was answered."""

from rapport.expectations.rules import never

SUITE = [
    never(
        "a score by complete_only has every item answered",
        "rule = 'complete_only' AND score IS NOT NULL AND answered_count < item_count",
        "response_id",
    ),
    never(
        "a score from fewer answers than items says that it is prorated",
        "basis = 'computed' AND score IS NOT NULL "
        "AND (answered_count = 0 OR is_prorated IS DISTINCT FROM (answered_count < item_count))",
        "response_id",
    ),
]

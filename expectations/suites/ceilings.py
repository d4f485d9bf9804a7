"""Table ceilings: a score at the ceiling is also near the ceiling."""

from rapport.expectations.rules import never

SUITE = [
    never("at the ceiling is near it", "ceiling_count > near_ceiling_count OR near_ceiling_count > rated_count"),
]

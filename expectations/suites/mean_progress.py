"""Table mean_progress: means of clients with two scores, within their interval."""

from rapport.expectations.rules import never

SUITE = [
    never(
        "means are of the paired, who all have a first score",
        "paired_count > first_count OR (paired_count = 0) <> (mean_progress IS NULL)",
    ),
    never("a mean lies within its interval", "NOT mean_progress BETWEEN low AND high"),
]

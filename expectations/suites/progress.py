"""Table progress: a zone needs an expected score."""

from rapport.expectations.rules import never

SUITE = [
    never(
        "a zone but grey has an expected score and more than one measurement",
        "zone <> 'grey' AND (expected_at_latest IS NULL OR score_count < 2)",
    ),
]

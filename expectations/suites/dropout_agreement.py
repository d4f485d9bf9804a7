"""Table dropout_agreement: four counts that add up."""

from rapport.expectations.rules import never

SUITE = [
    never(
        "the four counts are the clients compared",
        "both_count + first_only_count + second_only_count + neither_count <> compared_count",
    ),
]

"""Table proportions: a share within its interval."""

from rapport.expectations.rules import never

SUITE = [
    never("a share lies within its interval", "numerator_count > denominator_count OR NOT share BETWEEN low AND high"),
]

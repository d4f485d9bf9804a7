"""Table alliance_agreement: two raters are two people, and a distance has no sign."""

from rapport.expectations.rules import never

SUITE = [
    never("two raters are two people", "rater = other_rater AND rater_number = other_rater_number", "session_id"),
    never("a distance has no sign", "absolute_difference IS DISTINCT FROM abs(signed_difference)", "session_id"),
]

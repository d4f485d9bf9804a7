"""Table alliance_congruence: congruence, or the reason why there is none."""

from rapport.expectations.rules import never

SUITE = [
    never(
        "congruence or the reason why there is none",
        "(congruence_correlation IS NULL) <> (why_no_congruence IS NOT NULL)",
        "first_session_id",
    ),
]

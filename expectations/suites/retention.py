"""Table retention: staying more than four sessions agrees with not being below the dose."""

from rapport.expectations.rules import never

SUITE = [
    never(
        "who did not stay more than four is below the dose, and nobody else",
        "has_more_than_four IS DISTINCT FROM NOT is_dropout_below_dose",
    ),
    never(
        "what has ended is known to have been more than four or not",
        "has_ended AND treatment_session_count > 0 AND has_more_than_four IS NULL",
    ),
]

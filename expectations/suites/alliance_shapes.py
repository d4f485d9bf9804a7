"""Table alliance_shapes: below four scores there is no shape."""

from rapport.expectations.rules import never

SUITE = [
    never("below four scores there is no shape", "(shape IS NULL) <> (score_count < 4)", "first_session_id"),
]

"""Table early_alliance: the third session speaks by its own rule."""

from rapport.expectations.rules import never

SUITE = [
    never(
        "the third session speaks by its own rule",
        "(early_rule = 'session_3') <> (dyad_session_number = 3) OR dyad_session_number NOT BETWEEN 2 AND 4",
        "session_id",
    ),
]

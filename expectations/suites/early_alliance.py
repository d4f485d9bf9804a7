"""Table early_alliance: the third session has a rule of its own, and the session is the 2nd to 4th."""

from rapport.expectations.rules import never

SUITE = [
    never(
        "the third session speaks by its own rule",
        "(early_rule = 'session_3') <> (dyad_session_number = 3) OR dyad_session_number NOT BETWEEN 2 AND 4",
        "session_id",
    ),
]

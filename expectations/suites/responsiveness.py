"""Table responsiveness: both first sessions observed, and five sessions past four."""

from rapport.expectations.rules import never

SUITE = [
    never(
        "observers' scores are of both first sessions",
        "observed_session_count < 2 AND coalesce(positive_atmosphere, attentiveness, early_empathic_responding, "
        "negative_behaviour, global_responsiveness) IS NOT NULL",
        "episode_id",
    ),
    never(
        "five sessions are past four",
        "is_past_four IS DISTINCT FROM CASE WHEN attended_session_count > 4 THEN true END",
        "episode_id",
    ),
]

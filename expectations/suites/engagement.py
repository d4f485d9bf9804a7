"""Table engagement: counts and shares that add up."""

from rapport.expectations.rules import never

SUITE = [
    never(
        "what was held open was attended, missed or cancelled late",
        "held_open_count <> attended_count + no_show_count + late_cancel_count",
        "episode_id",
    ),
    never(
        "shares of a whole make one",
        "abs(attendance_share + no_show_share + late_cancel_share - 1) > 1e-6",
        "episode_id",
    ),
    never("not more sessions were rated than held", "answered_session_count > attended_count", "episode_id"),
]

"""Table ruptures: a repaired rupture has a repair session, and its lowest value is below the value before it."""

from rapport.expectations.rules import never

SUITE = [
    never(
        "what is repaired has a repair",
        "(is_repaired AND repair_session_id IS NULL) OR (repair_session_id IS NULL) <> (repair_session_count IS NULL)",
        "start_session_id",
    ),
    never("a fall goes down", "depth < 0 OR nadir_value > pre_value AND compared <> 'report'", "start_session_id"),
]

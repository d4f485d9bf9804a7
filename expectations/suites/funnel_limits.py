"""Table funnel_limits: limits in their order."""

from rapport.expectations.rules import never

SUITE = [
    never(
        "limits are in their order around the clinic's share",
        "NOT (approximate_low_998 <= approximate_low_95 AND approximate_low_95 <= target_share "
        "AND target_share <= approximate_high_95 AND approximate_high_95 <= approximate_high_998 "
        "AND exact_low_998 <= exact_low_95 AND exact_high_95 <= exact_high_998)",
    ),
]

"""Table outcomes: a class or a reason, and a change over two scores."""

from rapport.expectations.rules import never

SUITE = [
    never(
        "a class or the reason why there is none",
        "(jacobson_truax_class IS NULL) <> (why_no_class IS NOT NULL)",
        "episode_id",
    ),
    never("change is over two scores", "(total_change IS NULL) <> (score_count < 2)", "episode_id"),
]

"""Table therapist_effects: a shrunken effect is nearer to the clinic's mean than the raw one."""

from rapport.expectations.rules import never

SUITE = [
    never(
        "a shrunken effect is nearer to the clinic than the raw one, within its interval",
        "abs(shrunken_effect) > abs(raw_effect) + 1e-9 OR NOT shrunken_effect BETWEEN low AND high",
    ),
]

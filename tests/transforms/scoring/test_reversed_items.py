"""An instrument of the clinic's own: reversed items and a mean score."""

from dataclasses import replace

from rapport.warehouse.instruments import Scale
from tests.clinics.drawn import clinic, computed, lines, seen

MEAN = Scale("total", "Mean of the items.", (1, 2, 3), "mean", "complete_only")


def test_a_reversed_item_counts_from_the_other_end_and_a_mean_score_stays_on_the_items_range():
    own = replace(
        clinic().instruments["wai_sr"], name="own", item_count=3, reversed=(2,), scales=(MEAN,), licence_needed=False
    )
    declared = replace(clinic(), instruments={"own": own})
    found = computed(declared, responses="response_id | instrument | rater | answers\nr1 | own | client | 5 1 4")
    expected = "score | item_mean\n4.666667 | 4.666667"
    rounded = found["scores"].with_columns(
        score=found["scores"]["score"].round(6), item_mean=found["scores"]["item_mean"].round(6)
    )
    assert seen(rounded, expected) == lines(expected)

"""Erasure end to end: after nights of two systems that go on exporting the person, nothing of them is kept."""

from tests.clinics import months
from tests.clinics.few_tables import few_tables


def test_after_nights_of_two_systems_and_new_names_of_a_space_nothing_of_a_person_is_kept_and_nothing_comes_back(
    tmp_path,
):
    with few_tables():
        place = months.nights_at(tmp_path / "clinic", 2)
        words = months.words_of(place)
        assert len(words) > 15
        before = months.finds(place, words)
        assert any("moved by" in each for each in before) and {each.split(": ")[-1] for each in before} >= set(
            words[:3]
        )
        assert months.forgotten(place) == 0
        months.rename(place, 3)
        months.one_more_night(place, 2)
        assert place.ask("SELECT DISTINCT id_space, first_name FROM load.spaces ORDER BY ALL") == [
            ("portal", "portal"),
            ("praxis", "practice"),
        ]
        assert months.finds(place, words, erased_by=3) == []

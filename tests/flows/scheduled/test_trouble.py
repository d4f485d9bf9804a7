"""A small part of the day of trouble; `make trouble` is all of it."""

from tests.breaking.trouble import Day, nothing_told, renamed_and_late


def test_a_renamed_column_and_a_source_that_does_not_come_are_told_well_and_name_nobody(surroundings, tmp_path):
    day = Day(tmp_path, environment=dict(surroundings))
    assert "both told in one message each" in renamed_and_late(day)
    assert nothing_told(day)

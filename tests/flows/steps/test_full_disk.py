"""A night that finds no room on the disk, wherever it does, costs nothing: yesterday's file answers."""

from tests.breaking.soak import broken_promises, nights_into_a_full_disk

NIGHTS = 15


def test_after_fifteen_nights_into_a_full_disk_the_file_answers_and_with_room_the_next_night_succeeds(
    short_yesterday, tmp_path
):
    nights = nights_into_a_full_disk(short_yesterday, tmp_path / "work", NIGHTS, seed=5, is_short=True)
    assert len(nights) == NIGHTS
    assert broken_promises(nights) == []
    assert sum(night["stands"] for night in nights) > NIGHTS / 2
    refused = {night["said"] for night in nights if night["stands"]}
    assert all("disk" in said and "run the night again" in said for said in refused), refused

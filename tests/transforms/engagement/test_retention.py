"""Who stays: more than four sessions, and dropout by six definitions, each null where it cannot be said."""

from datetime import UTC, datetime

import pytest

from tests.clinics.drawn import computed, lines, seen

GIVEN = """
    episode_id | client_id | opened_on  | closed_on  | closure
    e1         | ann       | 2026-03-01 | {closed} | {closure}
    """
OVER = GIVEN.format(closed="2026-05-30", closure="dropout")


def visits(*said: str, client: str = "ann") -> str:
    """Weekly appointments of a client, one per status."""
    days = [f"2026-03-{2 + 7 * at:02d}" if at < 5 else f"2026-04-{7 * at - 29:02d}" for at in range(len(said))]
    rows = [
        f"{client}{at} | {client} | {day} 15:00 | {word} | tom"
        for at, (day, word) in enumerate(zip(days, said, strict=True))
    ]
    return "\n".join(["session_id | client_id | starts_at | status | therapist_id", *rows])


def retention(like: str, appointments: str, as_of: datetime, **more: object) -> list[str]:
    return seen(computed(appointments=appointments, as_of=as_of, **more)["retention"], like)


def at(day: str) -> datetime:
    return datetime.fromisoformat(day).replace(hour=3, tzinfo=UTC)


def test_more_than_four_is_not_yet_known_while_it_can_still_happen():
    attended = visits(*["attended"] * 3)
    like = "treatment_session_count | has_ended | has_more_than_four | is_dropout_below_dose"
    open_yet = f"{like}\n3 | no | |"
    over = f"{like}\n3 | yes | no | yes"
    assert retention(open_yet, attended, at("2026-06-14")) == lines(open_yet)
    assert retention(over, attended, at("2026-06-15")) == lines(over)


def test_the_fifth_session_settles_it_while_the_episode_is_open():
    like = "treatment_session_count | has_ended | has_more_than_four | is_dropout_below_dose\n5 | no | yes | no"
    assert retention(like, visits(*["attended"] * 5), at("2026-04-02")) == lines(like)


def test_an_appointment_booked_ahead_keeps_an_episode_from_being_over():
    booked = visits("attended") + "\nlater | ann | 2026-05-20 15:00 | scheduled | tom"
    like = "has_ended | has_more_than_four\nno |"
    assert retention(like, booked, at("2026-05-19")) == lines(like)


def test_an_episode_in_which_treatment_never_began_is_in_no_rate():
    like = """
        treatment_session_count | has_ended | has_more_than_four | is_dropout_judged | is_dropout_missed_last
        0                       | yes     |                    |                   |
        """
    assert retention(like, visits("no_show"), at("2026-12-01"), episodes=OVER) == lines(like)


def test_an_episode_that_opens_tomorrow_has_no_row():
    like = "episode_id"
    assert retention(like, visits(), at("2026-02-28"), episodes=OVER) == lines(like)


@pytest.mark.parametrize(
    ("closure", "judged", "unilateral"),
    [
        ("dropout", "yes", "yes"),
        ("client_ended", "no", "yes"),
        ("planned", "no", "no"),
        ("transferred", "no", "no"),
        ("other", "no", ""),
        ("", "", ""),
    ],
)
def test_the_therapist_s_judgement_and_who_ended_it_are_two_definitions(closure, judged, unilateral):
    given = GIVEN.format(closed="2026-05-30", closure=closure)
    like = f"is_dropout_judged | is_dropout_unilateral\n{judged} | {unilateral}"
    assert retention(like, visits("attended"), at("2026-12-01"), episodes=given) == lines(like)


@pytest.mark.parametrize(
    ("last", "day", "missed"),
    [
        ("no_show", "2026-05-08", ""),  # the 60th day after the missed one: the client may still return
        ("no_show", "2026-05-09", "yes"),
        ("late_cancel", "2026-05-09", "yes"),
        ("cancelled_by_client", "2026-05-09", "yes"),
        ("cancelled_by_clinic", "2026-05-09", ""),  # says nothing of the client; the one before was kept
        ("cancelled_by_clinic", "2026-12-09", "no"),
        ("attended", "2026-12-09", "no"),
        ("attended", "2026-05-09", ""),
    ],
)
def test_missing_the_last_appointment_is_dropout_after_sixty_days_without_return(last, day, missed):
    like = f"client_id | is_dropout_missed_last\nann | {missed}"
    assert retention(like, visits("attended", last), at(day)) == lines(like)


@pytest.mark.parametrize(("again", "missed"), [("2026-05-08", "no"), ("2026-05-09", "yes")])
def test_who_returns_within_sixty_days_to_another_episode_did_not_drop_out(again, missed):
    given = """
        episode_id | opened_on  | closed_on
        e1         | 2026-03-01 | 2026-03-20
        e2         | 2026-04-01 |
        """
    appointments = visits("attended", "no_show") + f"\nnew | ann | {again} 15:00 | attended | uma"
    like = f"episode_id | is_dropout_missed_last\ne1 | {missed}"
    made = computed(appointments=appointments, episodes=given, as_of=at("2026-07-01"))["retention"]
    assert seen(made.filter(episode_id="e1"), like) == lines(like)


def test_the_median_is_that_of_episodes_that_are_over_and_settles_early_who_has_reached_it():
    sizes = {"ann": 2, "bob": 4, "cem": 6}
    kept = [visits(*["attended"] * count, client=name) for name, count in sizes.items()]
    appointments = "\n".join([kept[0], *(rows.split("\n", 1)[1] for rows in kept[1:])])
    appointments += "\nd1 | dee | 2026-11-20 15:00 | attended | tom"
    like = """
        client_id | has_ended | median_sessions | is_dropout_below_median
        ann       | yes     | 4                    | yes
        bob       | yes     | 4                    | no
        cem       | yes     | 4                    | no
        dee       | no      | 4                    |
        """
    assert retention(like, appointments, at("2026-12-01")) == lines(like)


def test_ending_alone_after_reliable_change_is_no_dropout_by_the_fifth_definition():
    """Swift, Callahan & Levine 2009."""
    answers = {"a": ("3 3 3 3 3 3 3 3 3", "0 0 0 0 0 0 0 0 0"), "b": ("2 2 2 2 2 2 2 2 2", "2 2 2 2 2 2 2 2 2")}
    for name, (first, last) in answers.items():
        responses = f"""
            response_id | instrument | rater  | appointment_session_id | completed_on | answers
            r1          | phq9       | client | ann0                   | 2026-03-02   | {first}
            r2          | phq9       | client | ann1                   | 2026-03-09   | {last}
            """
        like = f"is_dropout_unchanged\n{'no' if name == 'a' else 'yes'}"
        told = {"episodes": OVER, "responses": responses}
        assert retention(like, visits("attended", "attended"), at("2026-12-01"), **told) == lines(like)


def test_without_scores_the_fifth_definition_cannot_say_who_ended_alone_unchanged():
    like = "client_id | is_dropout_unchanged\nann |"
    assert retention(like, visits("attended"), at("2026-12-01"), episodes=OVER) == lines(like)
    planned = GIVEN.format(closed="2026-05-30", closure="planned")
    like = "is_dropout_unchanged\nno"
    assert retention(like, visits("attended"), at("2026-12-01"), episodes=planned) == lines(like)

"""Which sources are told to operators, and the likely reason: counts and numbers in, sentences out."""

import pytest

from rapport.flows.private.likely_reasons import Numbers, likely_reason
from rapport.flows.private.match_findings import Judge, has_fallen, is_too_few
from rapport.transforms.sessions.matches import COUNTS
from rapport.warehouse.clinic_file.clinic import clinic_of

SURVEY = {"format": "wide", "files": "s*", "id_space": "here", "client_id": "c", "completed_at": "w",
          "instrument": "srs", "rater": "client", "items": ["a", "b", "c", "d"]}  # fmt: skip
VISITS = {"files": "v*", "id_space": "practice", "records": "appointments"}


@pytest.mark.parametrize(
    ("known", "clients", "is_told"),
    [
        (0, 1, True),
        (1, 4, False),  # of fewer than five, one is enough
        (0, 4, True),
        (2, 5, True),
        (3, 6, False),  # half
        (2, 6, True),
        (0, 0, False),
        (9, 9, False),
    ],
)
def test_fewer_than_half_of_five_clients_are_too_few_and_of_fewer_none(known, clients, is_told):
    assert is_too_few(known, clients) is is_told


@pytest.mark.parametrize(
    ("matched", "count", "usual", "fell"),
    [
        (7, 10, 0.9, False),  # by 20 points, no more
        (69, 100, 0.9, True),
        (0, 0, 0.9, False),
        (1, 4, 0.9, False),  # of fewer than five, one is enough
        (0, 1, 0.9, True),
        (0, 5, 0.2, False),
        (0, 5, 0.21, True),
        (10, 10, 0.5, False),
    ],
)
def test_a_share_falls_by_more_than_twenty_points(matched, count, usual, fell):
    assert has_fallen(matched, count, usual) is fell


@pytest.mark.parametrize(
    ("own", "booked", "reason"),
    [
        # (id space: numbers of the appointments), the likely reason, the key that mends it
        ("7 8 9", {"practice": "7 8 9 10"}, ('3 of 3 unknown numbers are in the id space', 'id_space = "practice"')),
        ("007 008 9x", {"here": "7 8 9"}, ("2 of 3 unknown numbers are among those of the appointments but for leading",
                                           "id_zero_pad")),
        ("7 8", {"here": "007 0008"}, ("but for leading zeros", "id_zero_pad")),
        ("ab7 cd8", {"here": "AB7 CD8"}, ("but for capitals", "id_case")),
        ("MRN-7 MRN-8", {"here": "7 8"}, ("but for marks and letters around the digits", "id_pattern")),
        ("1 2 3 4", {"here": "7003 7004"}, ("its numbers are 1 to 4 without a gap", "client_id")),
        ("anna berta", {"here": "7003 7004"}, ("another form than those of the appointments", "client_id")),
        ("7 88 999", {"here": "11 5 123"}, None),
        ("7 8 9", {"practice": "7"}, None),  # one of three is chance
        ("7 8 9", {}, None),
    ],
)  # fmt: skip
def test_the_likely_reason_comes_from_the_numbers(tmp_path, own, booked, reason):
    clinic = clinic_of({"time_zone": "UTC", "sources": {"survey": SURVEY, "visits": VISITS}}, tmp_path)
    numbers = Numbers(words(own), words(own), {space: words(each) for space, each in booked.items()})
    found = likely_reason(numbers, clinic.sources[0], clinic.spaces)
    if reason is None:
        assert found is None
        return
    assert reason[0] in found.why
    assert reason[1] in found.next_step
    assert not any(number in found.why.split() for number in words(own) if len(number) > 1)


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def test_a_shape_is_shown_on_a_terminal_alone_and_holds_no_value(tmp_path):
    clinic = clinic_of({"time_zone": "UTC", "sources": {"survey": SURVEY}}, tmp_path)
    numbers = Numbers(words("anna bert"), words("anna bert"), {"here": words("7003-1 7004-2")})
    shown = likely_reason(numbers, clinic.sources[0], clinic.spaces, shows_shapes=True)
    assert shown.why.endswith("(A…, and there 9999-9)")
    assert "9999" not in likely_reason(numbers, clinic.sources[0], clinic.spaces).why


def judged(tmp_path, more: dict, row: dict, numbers: str = "70 80", usual: float | None = None):
    clinic = clinic_of({"time_zone": "UTC", "sources": {"survey": SURVEY | more, "visits": VISITS}}, tmp_path)
    judge = Judge(
        clinic=clinic,
        rows={"survey": dict.fromkeys(COUNTS, 0) | row},
        usual={} if usual is None else {"survey": usual},
        numbers=lambda name: Numbers(words(numbers), words(numbers), {}),
        holds_appointments=frozenset({"visits"}),
    )
    findings = judge.findings()
    return findings.get("survey"), list(judge.notes(findings))


WELL = {"client_count": 6, "known_client_count": 6, "response_count": 6, "time_count": 6}
NONE_MATCHES = {**WELL, "time_count": 0, "too_late_count": 6, "delivery_count": 6}


@pytest.mark.parametrize(
    ("more", "row", "numbers", "usual", "word", "note"),
    [
        ({}, WELL, "70 80", 0.9, None, None),
        ({}, {**WELL, "known_client_count": 2}, "70 80", None, "few_in_common", None),
        ({}, {**WELL, "known_client_count": 0}, "70 80", None, "nobody_in_common", None),
        ({"stands_alone": True}, {**WELL, "known_client_count": 0}, "70 80", None, None, None),
        ({}, NONE_MATCHES, "70 80", 0.9, "share_fell", None),
        ({}, NONE_MATCHES, "70 80", None, None, "none of its 6 responses meets a session"),
        ({}, {**NONE_MATCHES, "delivery_day_only_count": 6}, "70 80", None, None, "their dates have no times"),
        ({"stands_alone": True}, NONE_MATCHES, "70 80", 0.9, None, None),
        ({}, WELL, "1 2 3", None, None, "its numbers are 1 to 3 without a gap"),
        ({}, NONE_MATCHES, "1 2 3", None, "automatic_numbers", None),
    ],
)
def test_a_source_is_told_for_its_counts_or_noted_or_neither(tmp_path, more, row, numbers, usual, word, note):
    finding, notes = judged(tmp_path, more, row, numbers, usual)
    assert (finding.word if finding else None) == word
    assert len(notes) == (note is not None)
    if note:
        assert note in notes[0]


@pytest.mark.parametrize(
    ("sources", "word", "noted"), [(("survey", "visits"), "nobody_in_common", 0), (("survey",), None, 1)]
)
def test_without_appointments_a_source_is_told_where_another_should_bring_them(tmp_path, sources, word, noted):
    sections = {"survey": SURVEY, "visits": VISITS}
    clinic = clinic_of({"time_zone": "UTC", "sources": {name: sections[name] for name in sources}}, tmp_path)
    row = dict.fromkeys(COUNTS) | {"client_count": 2}
    judge = Judge(clinic, {"survey": row}, {}, lambda name: pytest.fail("no number is looked at"), frozenset())
    findings = judge.findings()
    assert [each.word for each in findings.values()] == ([word] if word else [])
    assert len(list(judge.notes(findings))) == noted

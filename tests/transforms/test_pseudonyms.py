"""Pseudonyms: keyed hashes for ids; and nothing but listed columns goes on."""

import hashlib
import hmac

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.transforms.pseudonyms import Pseudonyms, pseudonymise
from rapport.warehouse.clinic_file.clinic import read_clinic
from rapport.warehouse.schema.records import KINDS
from tests.clinics.reading import Reading

KEY = bytes(range(32))
FILES = {
    "appointments": "appointment_id|client_id|starts_at|status|name|note\n a1|c1|2026-03-02|attended|Jane Smith|cried",
    "responses": "response_id|client_id|instrument|rater|completed_at|item|value|by\nr1|c1|srs|client|2026-03-02|1||x",
    "episodes": "episode_id|client_id|opened_on|note\ne1|c1|2026-03-02|cried",
    "clients": "client_id|birth_date|name\nc1|2010-03-05|Jane Smith",
}
CARRIED = {"record_number", "record_count", "unreadable", "item_word"}


def one(space: str, kind: str, text: str, key: bytes = KEY) -> str:
    return Pseudonyms(key).one(space, kind, text)


def column(made: Pseudonyms, *texts: str | None, how: str = "ids") -> list[str | None]:
    found = getattr(made, how)("clinic", "client", pl.Series("id", texts, dtype=pl.String))
    return found.bin.encode("hex").to_list()


@given(key=st.binary(max_size=100), text=st.text())
def test_a_pseudonym_is_the_first_128_bits_of_the_hmac_of_space_kind_and_id(key, text):
    expected = hmac.new(key, f"clinic\x1fclient\x1f{text.strip()}".encode(), hashlib.sha256).hexdigest()[:32]
    assert one("clinic", "client", text, key) == expected


def test_id_spaces_kinds_and_keys_each_make_another_pseudonym_of_one_id():
    made = {
        one("clinic", "client", "1001"),
        one("school", "client", "1001"),
        one("clinic", "therapist", "1001"),
        one("clinic", "client", "1001", key=bytes(32)),
        one("clinic", "client", "01001"),
    }
    assert len(made) == 5


def test_space_and_kind_cannot_run_into_each_other():
    assert one("a", "bc", "d") != one("ab", "c", "d")


@pytest.mark.parametrize("how", ["ids", "people"])
@pytest.mark.parametrize("times", [1, 5], ids=["different ids", "repeated ids"])
def test_a_column_gets_the_pseudonyms_of_its_ids_one_by_one_and_null_stays_null(how, times):
    texts = ["7", None, "007", "é"] * times
    expected = [text and one("clinic", "client", text) for text in texts]
    assert column(Pseudonyms(KEY), *texts, how=how) == expected


@pytest.mark.parametrize("how", ["ids", "people"])
def test_a_column_of_nulls_stays_one(how):
    assert column(Pseudonyms(KEY), None, None, how=how) == [None, None]


def test_the_crosswalk_holds_each_client_and_therapist_once_and_no_other_id():
    made = Pseudonyms(KEY)
    made.people("clinic", "client", pl.Series(["c1", "c2", "c1", None]))
    made.people("clinic", "client", pl.Series(["c2"]))
    made.people("school", "therapist", pl.Series(["t1"]))
    made.ids("clinic", "appointment", pl.Series(["a1"]))
    assert sorted(made.crosswalk().rows()) == [
        ("client", "clinic", "c1", one("clinic", "client", "c1")),
        ("client", "clinic", "c2", one("clinic", "client", "c2")),
        ("therapist", "school", "t1", one("school", "therapist", "t1")),
    ]


@pytest.fixture
def safe(tmp_path):
    def read(kind: str) -> pl.DataFrame:
        rows = Reading(tmp_path, "", FILES[kind], kind).rows(kind)
        source = next(s for s in read_clinic(tmp_path / "clinic.toml").sources if s.name == kind)
        return pseudonymise(kind, rows, source, Pseudonyms(KEY))

    return read


@pytest.mark.parametrize("kind", KINDS)
def test_only_the_columns_of_the_record_kind_go_on(safe, kind):
    assert set(safe(kind).columns) <= {column.name for column in KINDS[kind].columns} | CARRIED


@pytest.mark.parametrize("kind", KINDS)
def test_no_raw_id_name_note_or_birth_date_is_left_in_any_text(safe, kind):
    texts = safe(kind).select(pl.col(pl.String), pl.col(pl.Binary).bin.encode("hex"))
    left = set(texts.unpivot()["value"].drop_nulls())
    assert left and not left & {"c1", "a1", "r1", "e1", "Jane Smith", "cried", "x", "2010-03-05"}
    assert all(len(each) == 16 for ids in safe(kind).select(pl.col(pl.Binary)) for each in ids.drop_nulls())


def test_a_session_is_half_of_the_appointments_pseudonym_and_half_of_the_clients(safe):
    found = safe("appointments")
    assert found["session_id"].item() == found["appointment_id"].item()[:8] + found["client_id"].item()[:8]
    assert found["appointment_id"].item().hex() == one("clinic", "appointment", "a1")


def test_a_response_without_an_appointment_names_no_session(safe):
    assert safe("responses")["appointment_session_id"].to_list() == [None]


def test_a_birth_date_leaves_only_a_mark_that_differs_between_clients_of_one_birthday(safe):
    marks = {one("clinic", "birth_date", f"{client}\x1f2010-03-05") for client in ("c1", "c2")}
    assert len(marks) == 2
    assert safe("clients")["birth_date_mark"].item().hex() in marks

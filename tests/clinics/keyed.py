"""Clinics under other keys: the same records with other pseudonyms, and tables with the records' own names again."""

from collections.abc import Iterator
from datetime import datetime

import polars as pl
from polars.testing import assert_frame_equal

from rapport import transforms
from rapport.transforms.pseudonyms import Pseudonyms, session_id
from rapport.warehouse.clinic_file.clinic import Clinic
from tests.clinics.drawn import visits

KEYS = (b"one key", b"another", b"a third")
KINDS = {
    "client_id": "client",
    "therapist_id": "therapist",
    "rater_id": "rater",
    "appointment_id": "appointment",
    "response_id": "response",
    "episode_id": "episode",
    "birth_date_mark": "birth_date",
}


class Keyed:
    """One clinic's records under a key. Ids are texts, or pseudonyms under another key."""

    def __init__(self, records: dict[str, pl.LazyFrame], key: bytes) -> None:
        self._names: dict[bytes, str] = {}
        self._ids = Pseudonyms(key)
        frames = {name: frame.collect() for name, frame in records.items()}
        self._sessions: dict[object, bytes] = {}
        appointments = self._appointments(frames.pop("appointment_records"))
        told = {name: self._renamed(frame) for name, frame in frames.items()}
        self.records = {name: frame.lazy() for name, frame in (told | {"appointment_records": appointments}).items()}

    def _appointments(self, frame: pl.DataFrame) -> pl.DataFrame:
        booked = frame.with_columns(appointment_id="session_id").drop("session_id")  # a slot of their own for each
        made = self._renamed(booked).with_columns(session_id=session_id("appointment_id"))
        self._sessions = dict(zip(frame["session_id"].to_list(), made["session_id"].to_list(), strict=True))
        for old, new in self._sessions.items():
            self._names[new] = f"session {_text(old)}"
            self._names[bytes.fromhex(new.hex()[::-1])] = f"episode from session {_text(old)}"
        return made

    def _renamed(self, frame: pl.DataFrame) -> pl.DataFrame:
        made = frame.with_columns(self._column(frame[name], kind) for name, kind in KINDS.items() if name in frame)
        if "appointment_session_id" not in frame:
            return made
        named = [self._sessions.get(each) for each in frame["appointment_session_id"].to_list()]
        return made.with_columns(appointment_session_id=pl.Series(named, dtype=pl.Binary))

    def _column(self, ids: pl.Series, kind: str) -> pl.Series:
        texts = [None if each is None else _text(each) for each in ids.to_list()]
        made = [None if each is None else self._ids.one_in_bytes("clinic", kind, each) for each in texts]
        self._names |= {new: f"{kind} {old}" for new, old in zip(made, texts, strict=True) if new}
        return pl.Series(ids.name, made, dtype=pl.Binary)

    def named(self, frame: pl.DataFrame) -> pl.DataFrame:
        """A table with the records' own names in place of pseudonyms, its rows in their order."""
        ids = [name for name, dtype in frame.schema.items() if dtype == pl.Binary]
        own = {name: pl.Series([each and self._names[each] for each in frame[name]], dtype=pl.String) for name in ids}
        return frame.with_columns(**own)


def _text(raw: object) -> str:
    return raw.hex() if isinstance(raw, bytes) else str(raw)


def compared(tables: list[dict[str, pl.DataFrame]], keys: dict[str, tuple[str, ...]]) -> Iterator[str]:
    """Tables whose rows are not the same in all of these, a sentence each."""
    first, *others = tables
    for name, frame in first.items():
        for other in others:
            try:
                one, two = (each.sort(keys[name]) for each in (frame, other[name]))
                assert_frame_equal(one, two, rel_tol=0, abs_tol=1e-8)
            except AssertionError as error:
                yield f"{name}: {str(error).splitlines()[0]}"
                break


FROM_RECORDS = [each for each in transforms.tables() if set(each.reads) != {"clinic"}]


def differing(records: dict[str, pl.LazyFrame], declared: Clinic, as_of: datetime) -> list[str]:
    """The tables that three keys make differ, of the same records."""
    made = [_named_tables(Keyed(records, key), declared, as_of) for key in KEYS]
    return list(compared(made, {table.name: table.key for table in FROM_RECORDS}))


def _named_tables(keyed: Keyed, declared: Clinic, as_of: datetime) -> dict[str, pl.DataFrame]:
    made = tables_of(keyed.records, declared, as_of)
    return {table.name: keyed.named(made[table.name]) for table in FROM_RECORDS}


def tables_of(records: dict[str, pl.LazyFrame], declared: Clinic, as_of: datetime) -> dict[str, pl.DataFrame]:
    """Every table, from record frames."""
    known = {**records, **visits(records["appointment_records"]), "clinic": declared, "as_of": as_of}
    made = {}
    for table in transforms.tables():
        frame = table(**{name: known[name] for name in table.reads}).select(table.column_names).collect()
        made[table.name], known[table.name] = frame, frame.lazy()
    return made

"""Raw ids become pseudonyms here, before anything reaches a warehouse file; columns that are not listed end here.

A pseudonym is HMAC-SHA256(key, id space, kind, id as text, trimmed), cut to 128 bits: the same every night, useless
without the key. Of an id space its first name goes into it, whatever it is called now (id_spaces.py). That is
pseudonymous, not anonymous: who holds the key and a record number can find the rows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence

import polars as pl

from rapport.transforms.aliases import NO_ALIASES, Aliases
from rapport.warehouse.clinic_file.client_links import NO_LINKS, ClientLinks
from rapport.warehouse.clinic_file.id_spaces import NO_SPACES, Spaces
from rapport.warehouse.clinic_file.sources import Source
from rapport.warehouse.schema.records import KINDS

SEPARATOR = "\x1f"
_BLOCK = 64  # bytes of SHA-256's block: RFC 2104
# What a row keeps beside its content.
_CARRIED = ("record_number", "record_count", "unreadable", "item_word", "sent_at")


class Pseudonyms:
    """Pseudonyms under one key. Client and therapist ids are remembered for the crosswalk."""

    def __init__(
        self, key: bytes, links: ClientLinks = NO_LINKS, spaces: Spaces = NO_SPACES, aliases: Aliases = NO_ALIASES
    ) -> None:
        self._key = key
        self._links = links
        self._digests = _keyed_digests(key)
        self._goes_by = links.goes_by
        self._spaces = spaces
        self.aliases = aliases
        self._known: dict[tuple[str, str], dict[str, bytes]] = {}

    def with_aliases(self, aliases: Aliases) -> Pseudonyms:
        """The same with numbers that were known by other texts. Nobody is remembered yet."""
        return Pseudonyms(self._key, self._links, self._spaces, aliases)

    def keyed(self, about: str, kind: str, text: str) -> str:
        """A keyed hash of what is no id, such as a file's name, as 32 hexadecimal digits. `about` is no id space."""
        return self._one(about, kind, text).hex()

    def one(self, space: str, kind: str, text: str) -> str:
        """The pseudonym of one id, as 32 hexadecimal digits. A client's numbers that are joined have one."""
        return self.one_in_bytes(space, kind, text).hex()

    def one_in_bytes(self, space: str, kind: str, text: str) -> bytes:
        """The same as 16 bytes, as columns hold it."""
        number = self.aliases.number(self._spaces.first_name(space), kind, text.strip())
        space = self._spaces.counts_as(space)
        if kind == "client" and self._goes_by:
            space, number = self._goes_by.get((space, number), (space, number))
        return self._one(space, kind, self.aliases.first_text(space, kind, number))

    def alone(self, space: str, number: str) -> str:
        """The pseudonym that a client's number has when it is not joined to any other."""
        return self.alone_in_bytes(space, number).hex()

    def alone_in_bytes(self, space: str, number: str, kind: str = "client") -> bytes:
        """The same as 16 bytes; also of a therapist's number."""
        space = self._spaces.first_name(space)
        number = self.aliases.number(space, kind, number.strip())
        return self._one(space, kind, self.aliases.first_text(space, kind, number))

    def as_written(self, space: str, text: str, kind: str = "client") -> bytes:
        """The pseudonym, as 16 bytes, that a text has if it is no other's number, and is joined to none."""
        return self._one(self._spaces.first_name(space), kind, text)

    def first_texts(self, space: str, kind: str, numbers: pl.Series) -> pl.Series:
        """Each number of a column as it was first known."""
        known = self.aliases.first_texts.get((self._spaces.counts_as(space), kind), {})
        return numbers.replace(list(known), list(known.values())) if known else numbers

    def _one(self, space: str, kind: str, text: str) -> bytes:
        (made,) = self._digests(space, kind, [text.strip().encode(errors="surrogateescape")])
        assert made is not None, "of an id that is no null there is a pseudonym"
        return made

    def ids(self, space: str, kind: str, texts: pl.Series) -> pl.Series:
        """The pseudonyms of a column of ids, as 16 bytes; null stays null."""
        return self.ids_alone(self._spaces.counts_as(space), kind, texts)

    def ids_alone(self, space: str, kind: str, texts: pl.Series) -> pl.Series:
        """The same as if the space were the same as no other."""
        space = self._spaces.first_name(space)
        distinct = texts.unique().drop_nulls()
        if distinct.len() * 2 > texts.len():  # mostly different: no detour over the distinct ones
            return _column(texts.name, self._digests(space, kind, texts.cast(pl.Binary).to_list()))
        return _in_place(texts, distinct, self._digests(space, kind, distinct.cast(pl.Binary).to_list()))

    def people(self, space: str, kind: str, texts: pl.Series) -> pl.Series:
        """As `ids`, and remembered: each person's id is hashed once a night."""
        known = self._known.setdefault((self._spaces.counts_as(space), kind), {})
        distinct = texts.unique().drop_nulls()
        for text in distinct.to_list():
            if text not in known:
                known[text] = self.one_in_bytes(space, kind, text)
        return _in_place(texts, distinct, [known[text] for text in distinct.to_list()])

    def crosswalk(self) -> pl.DataFrame:
        """Every person met: kind, id_space (its first name), number (the raw id), pseudonym. For the private tree."""
        rows = [(k, space, raw, made.hex()) for (space, k), known in self._known.items() for raw, made in known.items()]
        return pl.DataFrame(rows, schema=["kind", "id_space", "number", "pseudonym"], orient="row").cast(pl.String)


def _keyed_digests(key: bytes) -> Callable[[str, str, Iterable[bytes | None]], list[bytes | None]]:
    """HMAC-SHA256 (RFC 2104) of many ids of one space and kind, cut to 16 bytes; null stays null. What they share,
    the keyed states and their beginning, is hashed once: half of the cost of hmac.digest for each id."""
    padded = (key if len(key) <= _BLOCK else hashlib.sha256(key).digest()).ljust(_BLOCK, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded))
    outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in padded)).copy

    def digests(space: str, kind: str, texts: Iterable[bytes | None]) -> list[bytes | None]:
        begun = inner.copy()
        begun.update(SEPARATOR.join((space, kind, "")).encode(errors="surrogateescape"))
        made: list[bytes | None] = []
        for text in texts:
            if text is None:
                made.append(None)
                continue
            inside, outside = begun.copy(), outer()
            inside.update(text)
            outside.update(inside.digest())
            made.append(outside.digest()[:16])
        return made

    return digests


def _column(name: str, values: Iterable[bytes | None]) -> pl.Series:
    return pl.Series(name, values, dtype=pl.Binary)


def _in_place(texts: pl.Series, distinct: pl.Series, made: Sequence[bytes | None]) -> pl.Series:
    """What was made of each of the distinct texts, where they stand."""
    if not made:
        return _column(texts.name, [None] * texts.len())
    return texts.replace_strict(distinct, _column("", made), return_dtype=pl.Binary)


def pseudonymise(kind: str, frame: pl.DataFrame, source: Source, pseudonyms: Pseudonyms) -> pl.DataFrame:
    """A reader's rows with pseudonyms for ids, and nothing but the columns of the record kind."""
    made = _MAKERS[kind](frame, source.id_space, pseudonyms).with_columns(source=pl.lit(source.name))
    allowed = [column.name for column in KINDS[kind].columns]
    return made.select([name for name in (*_CARRIED, *allowed) if name in made.columns])


def retracted_ids(kind: str, ids: pl.DataFrame, source: Source, names: Pseudonyms) -> pl.DataFrame:
    """The keys (`id`) of records that their source has taken back, as 32 hexadecimal digits."""
    if kind == "responses":
        made = ids.select(id=names.ids(source.id_space, "response", ids["response_id"]))
    else:
        clients = [number and names.one_in_bytes(source.id_space, "client", number) for number in ids["client_id"]]
        booked = names.ids(source.id_space, "appointment", ids["appointment_id"])
        made = pl.DataFrame([booked, _column("client_id", clients)]).select(id=session_id("appointment_id"))
    return made.select(pl.col("id").bin.encode("hex")).drop_nulls()


def former_record_ids(
    kind: str, frame: pl.DataFrame, client_ids: pl.Series, source: Source, former: Iterable[str], names: Pseudonyms
) -> pl.DataFrame:
    """Which ids a source's records had under its former id spaces: old_id, new_id and, of appointments, appointment_id.

    `frame`: a reader's rows; `client_ids`: their clients' pseudonyms. A client's own record follows its number.
    """
    if kind == "clients":
        return pl.DataFrame(schema=FORMER_IDS)
    made = [_former_ids(kind, frame, client_ids, source.id_space, space, names) for space in former]
    return pl.concat([pl.DataFrame(schema=FORMER_IDS), *made])


def former_text_ids(
    kind: str,
    frame: pl.DataFrame,
    client_ids: pl.Series,
    source: Source,
    texts: Mapping[str, pl.DataFrame],
    names: Pseudonyms,
) -> pl.DataFrame:
    """Which ids a source's records had by other texts of their own ids: FORMER_IDS. `texts`: by kind of id the columns
    `now` and `before`."""
    of = _IDS.get(kind, "")
    if of not in texts:
        return pl.DataFrame(schema=FORMER_IDS)
    if kind == "appointments":
        return _sessions_by_text(frame, client_ids, source.id_space, texts[of], names)
    old, new = (names.ids(source.id_space, of, texts[of][name]) for name in ("before", "now"))
    return pl.DataFrame({"old_id": old, "new_id": new}).with_columns(appointment_id=pl.lit(None, pl.Binary))


def former_references(
    frame: pl.DataFrame, client_ids: pl.Series, source: Source, texts: Mapping[str, pl.DataFrame], names: Pseudonyms
) -> pl.DataFrame:
    """Which ids a source's responses named by other texts: column_name (of a response), old_id, new_id."""
    made = [pl.DataFrame(schema=FORMER_REFERENCES)]
    if "rater" in texts:
        old, new = (names.ids(source.id_space, "rater", texts["rater"][name]) for name in ("before", "now"))
        made.append(
            pl.DataFrame({"old_id": old, "new_id": new}).select(pl.lit("rater_id").alias("column_name"), pl.all())
        )
    if "appointment" in texts:
        named = _sessions_by_text(frame, client_ids, source.id_space, texts["appointment"], names)
        made.append(named.select(pl.lit("appointment_session_id").alias("column_name"), "old_id", "new_id"))
    return pl.concat(made)


def _sessions_by_text(
    frame: pl.DataFrame, client_ids: pl.Series, space: str, texts: pl.DataFrame, names: Pseudonyms
) -> pl.DataFrame:
    booked = pl.DataFrame({"now": frame["appointment_id"], "client_id": client_ids}).drop_nulls().unique()
    told = booked.join(texts, on="now")
    ids = told.select("client_id", *(names.ids(space, "appointment", told[name]) for name in ("before", "now")))
    return ids.select(old_id=session_id("before"), new_id=session_id("now"), appointment_id="now")


FORMER_REFERENCES = {"column_name": pl.String, "old_id": pl.Binary, "new_id": pl.Binary}
FORMER_IDS = {"old_id": pl.Binary, "new_id": pl.Binary, "appointment_id": pl.Binary}
_IDS = {"appointments": "appointment", "responses": "response", "episodes": "episode"}


def _former_ids(
    kind: str, frame: pl.DataFrame, client_ids: pl.Series, space: str, former: str, names: Pseudonyms
) -> pl.DataFrame:
    texts = frame[f"{_IDS[kind]}_id"]
    ids = pl.DataFrame(
        {"old": names.ids_alone(former, _IDS[kind], texts), "new": names.ids(space, _IDS[kind], texts)}
    ).with_columns(client_ids.alias("client_id"))
    if kind == "appointments":
        ids = ids.select(old_id=session_id("old"), new_id=session_id("new"), appointment_id="new")
    else:
        ids = ids.select(old_id="old", new_id="new", appointment_id=pl.lit(None, pl.Binary))
    return ids.drop_nulls(["old_id", "new_id"]).unique()


def _appointments(frame: pl.DataFrame, space: str, names: Pseudonyms) -> pl.DataFrame:
    return frame.with_columns(
        names.people(space, "client", frame["client_id"]),
        names.people(space, "therapist", frame["therapist_id"]),
        names.ids(space, "appointment", frame["appointment_id"]),
    ).with_columns(session_id=session_id("appointment_id"))


def _responses(frame: pl.DataFrame, space: str, names: Pseudonyms) -> pl.DataFrame:
    return frame.with_columns(
        names.people(space, "client", frame["client_id"]),
        names.people(space, "therapist", frame["therapist_id"]),
        names.ids(space, "rater", frame["rater_id"]),
        names.ids(space, "appointment", frame["appointment_id"]),
        names.ids(space, "response", frame["response_id"]),
    ).with_columns(appointment_session_id=session_id("appointment_id"))


def _episodes(frame: pl.DataFrame, space: str, names: Pseudonyms) -> pl.DataFrame:
    return frame.with_columns(
        names.people(space, "client", frame["client_id"]), names.ids(space, "episode", frame["episode_id"])
    )


def _clients(frame: pl.DataFrame, space: str, names: Pseudonyms) -> pl.DataFrame:
    known_as = frame.with_columns(names.first_texts(space, "client", frame["client_id"]))
    born = known_as.select(pl.concat_str("client_id", pl.col("birth_date").cast(pl.String), separator=SEPARATOR))
    return frame.with_columns(
        names.people(space, "client", frame["client_id"]),
        names.ids(space, "birth_date", born.to_series()).alias("birth_date_mark"),
    )


_MAKERS = {"appointments": _appointments, "responses": _responses, "episodes": _episodes, "clients": _clients}


def session_id(appointment: str) -> pl.Expr:
    """The client's place in an appointment: half of each pseudonym, so a group session is one id per client."""
    return pl.col(appointment).bin.slice(0, 8) + pl.col("client_id").bin.slice(0, 8)

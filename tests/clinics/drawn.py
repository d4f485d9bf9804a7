"""Tables drawn in tests: a header, a row per line, columns separated by |, an empty cell is null.

A column's type is what warehouse states for its name. Answers are written "9.1 - 9.2" (- is not answered), given
scores "total 30, goal 8", truth yes or no, instants in UTC.
"""

from collections.abc import Callable, Collection, Iterable
from datetime import UTC, date, datetime

import polars as pl

from rapport import transforms
from rapport.transforms.sessions.visits import by_visit
from rapport.warehouse.clinic_file.clinic import Clinic
from rapport.warehouse.instruments import load_instruments
from rapport.warehouse.schema.columns import SHARED
from rapport.warehouse.schema.records import KINDS

INSTANT, WALL = pl.Datetime("us", "UTC"), pl.Datetime("us")
_GIVEN = pl.List(pl.Struct({"scale": pl.String, "score": pl.Float64}))


def _given(cell: str) -> list[dict]:
    pairs = [pair.split() for pair in cell.split(",")]
    return [{"scale": scale, "score": float(score)} for scale, score in pairs]


_TYPES: dict[str, tuple[pl.DataType, Callable[[str], object]]] = {
    "id": (pl.String(), str),
    "text": (pl.String(), str),
    "integer": (pl.Int32(), int),
    "number": (pl.Float64(), float),
    "date": (pl.Date(), date.fromisoformat),
    "instant": (INSTANT, lambda cell: datetime.fromisoformat(cell).replace(tzinfo=UTC)),
    "wall": (WALL, datetime.fromisoformat),
    "truth": (pl.Boolean(), lambda cell: cell == "yes"),
    "answers": (pl.List(pl.Float32), lambda cell: [None if part == "-" else float(part) for part in cell.split()]),
    "given": (_GIVEN, _given),
    "names": (pl.List(pl.String), lambda cell: [None if part == "-" else part for part in cell.split()]),
}
_STATED = [*SHARED.values(), *(c for kind in KINDS.values() for c in kind.columns)]
_STATED += [column for table in transforms.tables() for column in table.columns]
_TYPE_OF = {column.name: _TYPES[column.type] for column in _STATED} | {"birth_date": _TYPES["date"]}
_LEFT_OUT = {"source": pl.lit("practice"), "client_id": pl.lit("ann"), "exported_at": pl.lit(datetime(2026, 1, 1))}
_SINGULAR = {"clients": "client", "episodes": "episode", "appointments": "appointment", "responses": "response"}


def _cells(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("|")] for line in text.strip().splitlines()]


def table(text: str) -> pl.LazyFrame:
    """The frame that is drawn."""
    names, *rows = _cells(text)
    read = [[_TYPE_OF[n][1](cell) if cell else None for n, cell in zip(names, row, strict=True)] for row in rows]
    return pl.LazyFrame(read, schema={name: _TYPE_OF[name][0] for name in names}, orient="row")


def records(kind: str, text: str = "source") -> pl.LazyFrame:
    """The drawn records of one kind; columns that are not drawn are null, or the usual."""
    frame = table(text)
    names = frame.collect_schema().names()
    usual = {name: made.cast(_TYPE_OF[name][0]) for name, made in _LEFT_OUT.items() if name not in names}
    if "starts_at" in names and "starts_local" not in names:
        usual["starts_local"] = pl.col("starts_at").dt.replace_time_zone(None)
    usual["loaded_number"] = pl.int_range(pl.len(), dtype=pl.Int64)
    if kind == "appointments" and "session_id" in names:
        usual["appointment_id"] = pl.col("session_id")
        usual |= {"status": pl.lit("attended")} if "status" not in names else {}
    others = [c.name for c in KINDS[kind].columns if c.name not in names and c.name not in usual]
    return frame.with_columns(**usual, **{name: pl.lit(None, dtype=_TYPE_OF[name][0]) for name in others})


def clinic(
    not_treatment: Iterable[str] = (),
    accepted: Iterable[str] = (),
    licences: Iterable[str] | None = None,
    **more: object,
) -> Clinic:
    """What a clinic declares, with the instruments that come with Rapport; by default it holds every licence."""
    instruments = load_instruments()
    held = tuple(instruments if licences is None else licences)
    names = (tuple(not_treatment), {}, (), instruments, tuple(accepted), held)
    return Clinic("UTC", "0 3 * * *", None, 0.2, *names, **more)


NOBODY_ELSE = table("episode_id | rater | rater_number")  # other_raters where one person of a kind rates
AS_OF = datetime(2027, 1, 1, 3, tzinfo=UTC)


def computed(
    declared: Clinic | None = None,
    births: str = "",
    as_of: datetime = AS_OF,
    visits_of: Collection[str] = (),
    former_lines: str = "source",
    **kinds: str | pl.LazyFrame,
) -> dict[str, pl.DataFrame]:
    """Every table, from drawn records or frames of them (appointments=..., responses=...), in the night's order.
    `visits_of`: the sources whose lines are visits; `former_lines`: theirs that are gone, loaded before the others."""
    made = {kind: kinds.get(kind, "source") for kind in KINDS}
    frames = {f"{_SINGULAR[k]}_records": records(k, d) if isinstance(d, str) else d for k, d in made.items()}
    known = {**frames, "clinic": declared or clinic(), "birth_dates": table(births or "client_id | birth_date")}
    known["as_of"] = as_of
    gone = records("appointments", former_lines).with_columns(pl.col("loaded_number") - 100)
    known |= visits(known["appointment_records"], gone, visits_of, declared)
    known["client_ids"] = pl.concat([frame.select("client_id") for frame in frames.values()]).unique()
    for each in transforms.tables():
        made = each(**{name: known[name] for name in each.reads}).select(each.column_names).collect()
        known[each.name] = made.lazy()
    return {each.name: known[each.name].collect() for each in transforms.tables()}


def visits(
    booked: pl.LazyFrame,
    former: pl.LazyFrame | None = None,
    visits_of: Collection[str] = (),
    declared: Clinic | None = None,
) -> dict[str, pl.LazyFrame]:
    """The frames that the tables read in place of the lines of visits."""
    lines = booked.collect()
    gone = lines.clear() if former is None else former.collect()
    made = by_visit(lines, gone, visits_of, declared.not_treatment if declared else ())
    return {name: frame.lazy() for name, frame in made.items()}


def lines(text: str) -> list[str]:
    """A drawing, line by line in the order of its text, so that two can be compared."""
    names, *rows = _cells(text)
    return [" | ".join(names), *sorted(" | ".join(row) for row in rows)]


def seen(frame: pl.DataFrame | pl.LazyFrame, like: str) -> list[str]:
    """A frame drawn with the columns of another drawing."""
    names = _cells(like)[0]
    rows = frame.lazy().select(names).collect().iter_rows()
    return [" | ".join(names), *sorted(" | ".join(map(_shown, row)) for row in rows)]


def _shown(value: object) -> str:
    match value:
        case None:
            text = ""
        case bool():
            text = "yes" if value else "no"
        case float():
            text = repr(value).removesuffix(".0")
        case datetime():
            text = f"{value:%Y-%m-%d %H:%M:%S}".removesuffix(":00")
        case list():
            text = " ".join("-" if part is None else _shown(part) for part in value)
        case dict():
            text = " ".join(map(_shown, value.values()))
        case _:
            text = str(value)
    return text

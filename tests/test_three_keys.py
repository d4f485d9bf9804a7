"""No order rests on an id: under three keys every table says the same of the same records."""

import polars as pl
from drawn import AS_OF, table
from drawn_clinics import BIRTHS, CLINIC, DECLARED, frames
from hypothesis import Phase, given, settings
from keyed import KEYS, Keyed, compared

import transforms

TABLES = transforms.tables()
FROM_RECORDS = [each for each in TABLES if each.reads and set(each.reads) != {"clinic"}]


def made(records_of: dict[str, pl.LazyFrame], key: bytes, declared, as_of) -> dict[str, pl.DataFrame]:
    keyed = Keyed(records_of, key)
    known = {**keyed.records, "clinic": declared, "as_of": as_of}
    for each in TABLES:
        known[each.name] = each(**{name: known[name] for name in each.reads}).select(each.column_names).collect().lazy()
    return {each.name: keyed.named(known[each.name].collect()) for each in FROM_RECORDS}


def differing(records_of, declared, as_of) -> list[str]:
    return list(compared([made(records_of, key, declared, as_of) for key in KEYS], {t.name: t.key for t in TABLES}))


def as_records(drawn: dict[str, pl.DataFrame]) -> dict[str, pl.LazyFrame]:
    singular = {"clients": "client", "episodes": "episode", "appointments": "appointment", "responses": "response"}
    found = {f"{singular[kind]}_records": frame.lazy() for kind, frame in drawn.items()}
    return found | {
        "client_ids": pl.concat([frame.select("client_id") for frame in drawn.values()]).unique().lazy(),
        "birth_dates": table(BIRTHS),
    }


@settings(max_examples=30, phases=[Phase.generate])
@given(drawn=CLINIC)
def test_drawn_clinics(drawn):
    crowded = {**drawn, "appointments": [{**each, "hour": each["hour"] // 40 * 40} for each in drawn["appointments"]]}
    assert differing(as_records(frames(crowded)), DECLARED, AS_OF) == []

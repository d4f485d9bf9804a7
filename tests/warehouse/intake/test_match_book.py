"""The book of the match report: which share of matched responses is usual for a source."""

import duckdb
import pytest

from rapport.warehouse.intake.match_book import DELIVERIES, usual_shares, withhold_totals
from rapport.warehouse.schema.books import MATCHES
from rapport.warehouse.store.building_file import create


@pytest.fixture
def con():
    with duckdb.connect() as con:
        con.execute("CREATE SCHEMA load; ATTACH ':memory:' AS staged")
        con.execute("CREATE TABLE staged.deliveries (source VARCHAR, known_from INTEGER)")
        create(con, "load.matches", MATCHES.columns)
        yield con


def book(con, *rows: tuple[int, int, int | None, int | None], source: str = "s", client_count: int = 7) -> None:
    """Rows of the book: load, the load of the newest delivery, its responses, the matched ones."""
    for load, delivery, count, matched in rows:
        con.execute(
            "INSERT INTO load.matches BY NAME SELECT ? AS load_id, ? AS source, ? AS client_count, "
            "? AS delivery_load_id, ? AS delivery_count, ? AS delivery_matched_count",
            [load, source, client_count, delivery, count, matched],
        )


@pytest.mark.parametrize(
    ("newest", "rows", "usual"),
    [
        (2, [(1, 1, 10, 9)], 0.9),
        (4, [(1, 1, 10, 9), (2, 2, 10, 5), (3, 3, 10, 8)], 0.8),  # the median
        (3, [(1, 1, 10, 2), (2, 1, 10, 8)], 0.8),  # a delivery counts once, as it was counted last
        (1, [(1, 1, 10, 9)], None),  # the newest is not compared with itself
        (2, [(1, 1, 0, 0)], None),  # of a delivery whose responses all waited nothing is known
        (2, [(1, 1, None, None)], None),  # withheld, or not counted
        (99, [(n, n, 10, 1 if n == 1 else 9) for n in range(1, DELIVERIES + 2)], 0.9),
        (99, [(n, n, 10, 9 if n <= 10 else 3) for n in range(1, 19)], 0.3),  # 8 of the last 14
    ],
)
def test_the_usual_share_is_the_median_of_the_deliveries_before_the_newest(con, newest, rows, usual):
    book(con, *rows)
    con.execute("INSERT INTO staged.deliveries VALUES ('s', ?)", [newest])
    assert usual_shares(con) == ({} if usual is None else {"s": pytest.approx(usual)})


def test_each_source_has_its_own(con):
    book(con, (1, 1, 10, 9))
    book(con, (1, 1, 10, 2), source="other")
    con.execute("INSERT INTO staged.deliveries VALUES ('s', 2)")
    assert usual_shares(con) == {"s": 0.9, "other": 0.2}


@pytest.mark.parametrize(
    ("before", "clients", "deliveries"),
    [(None, [None, None, None], [10, None, None]), (3, [None, None, 7], [10, None, 10])],
)
def test_totals_are_withheld_and_of_deliveries_only_the_newest(con, before, clients, deliveries):
    book(con, (1, 1, 10, 9), (2, 2, 10, 9), (3, 2, 10, 9))
    withhold_totals(con, before)
    asked = "SELECT client_count, delivery_count FROM load.matches ORDER BY load_id"
    assert con.sql(asked).fetchall() == list(zip(clients, deliveries, strict=True))


def test_a_kept_version_of_before_the_book_has_nothing_to_withhold(con):
    con.execute("DROP TABLE load.matches")
    withhold_totals(con)

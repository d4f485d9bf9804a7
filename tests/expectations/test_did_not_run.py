"""A check that could not run is neither passed nor failed: it stops the night, is named, and yesterday stands."""

import pytest

from tests.clinics.nights import APPOINTMENTS, held

TONIGHT = "2026-11-19T12:00"
NEXT = "could not run, so nothing is known about it; yesterday's warehouse stands"


def missing_column_rule():
    from rapport.expectations.rules import Rule, expect  # noqa: PLC0415

    return Rule("nobody_is_lost", "lost", expect.ExpectColumnValuesToNotBeNull(column="lost", severity="warning"))


def broken_query_rule():
    from rapport.expectations.rules import rows_rule  # noqa: PLC0415

    return rows_rule("nobody_is_lost", "SELECT row_id, 'lost' AS column_name FROM {batch} WHERE lost")


def broken_row_rule():
    from rapport.expectations.rules import never  # noqa: PLC0415

    return never("nobody_is_lost", "lost IS NULL")


def with_rule(monkeypatch, module: str, name: str, made) -> None:
    """The suites of a module, with a rule that cannot run in front."""
    rules = getattr(__import__(module, fromlist=[name]), name)
    monkeypatch.setattr(f"{module}.{name}", lambda *given: [made(), *rules(*given)])


def expect_did_not_run(place, said: str) -> None:
    from rapport.warehouse.errors import DidNotRun  # noqa: PLC0415

    before = place.standing()
    with pytest.raises(DidNotRun) as stopped:
        place.night(TONIGHT)
    assert said in str(stopped.value)
    assert NEXT in str(stopped.value)
    assert place.standing() == before
    assert not place.leftovers()


@pytest.mark.parametrize("made", (missing_column_rule, broken_query_rule))
def test_a_check_of_records_that_crashes_stops_the_night(yesterday, monkeypatch, made):
    with monkeypatch.context() as patched:
        with_rule(patched, "rapport.expectations.records", "record_rules", made)
        expect_did_not_run(yesterday, "the check 'nobody_is_lost' on staged.appointments")
    yesterday.night(TONIGHT)
    failed = yesterday.ask("SELECT reason FROM load.loads WHERE outcome = 'failed'")
    assert "nobody_is_lost" in failed[0][0]


@pytest.mark.parametrize("made", (broken_row_rule, broken_query_rule))
def test_a_check_of_tables_that_crashes_stops_the_night(yesterday, monkeypatch, made):
    with_rule(monkeypatch, "rapport.expectations.table_suites", "table_rules", made)
    expect_did_not_run(yesterday, "the check 'nobody_is_lost' on main.")


def test_an_engine_that_crashes_in_every_check_of_a_column_stops_the_night(yesterday, monkeypatch):
    from rapport.expectations.gx_on_duckdb import OneConnectionEngine  # noqa: PLC0415

    monkeypatch.delattr(OneConnectionEngine, "get_connection")  # what Great Expectations does without it: #10738
    expect_did_not_run(yesterday, "the check 'appointment_id_missing' on staged.appointments")


def test_a_crash_while_the_failing_rows_are_listed_stops_the_night(yesterday, monkeypatch):
    from rapport.expectations import suite_outcomes  # noqa: PLC0415

    rows = [held(client, 18) for client in range(9)]
    rows[0] = rows[0].replace("attended", "completed")
    yesterday.deliver("appointments_2026-11-19.csv", APPOINTMENTS, rows)
    monkeypatch.setitem(suite_outcomes.ROWS, "unexpected_index_column_names", ["lost"])
    expect_did_not_run(yesterday, "the check 'status_unknown' on staged.appointments")


def test_a_connection_is_given_back_before_the_file_is_closed():
    """Great Expectations holds its last datasource, so SQLAlchemy printed a traceback when the process ended."""
    import duckdb  # noqa: PLC0415

    from rapport.expectations.gx_on_duckdb import open_source  # noqa: PLC0415

    with duckdb.connect() as con:
        cursor = con.cursor()
        with open_source(lambda: cursor) as source, source.get_execution_engine().get_connection() as kept:
            assert kept.exec_driver_sql("SELECT 1").scalar_one() == 1
        assert kept.closed

"""A warehouse of an earlier Rapport: a record column that it does not have yet is added, and null in what is there."""

from warehouse.building import open_building


def test_a_record_column_that_came_later_is_added_to_the_history_that_is_kept(tmp_path):
    with open_building(tmp_path / "building.duckdb", tmp_path) as con:
        con.execute("ALTER TABLE history.responses DROP COLUMN goal_owners")
        con.execute("INSERT INTO history.responses (source, instrument) VALUES ('surveys', 'gbo')")
    with open_building(tmp_path / "building.duckdb", tmp_path) as con:
        assert con.sql("SELECT source, goal_owners FROM history.responses").fetchall() == [("surveys", None)]

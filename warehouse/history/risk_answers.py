"""Risk items answered at or above their threshold. The fact stays even when its response is held back.

Rapport does not monitor risk. The facts are on no page and in no dashboard view. They are kept so that an analyst's
count includes the responses that a rule held back. No answer and no score is kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import duckdb

from rapport.warehouse.history.confirm import confirm
from rapport.warehouse.instruments import Instrument
from rapport.warehouse.instruments.comparisons import OPERATORS
from rapport.warehouse.intake.unchanged_lines import RISKS
from rapport.warehouse.schema.columns import RATERS, Column, resolve
from rapport.warehouse.schema.records import PROVENANCE
from rapport.warehouse.schema.relations import Relation

_SAID = ("client_id", "rater", "completed_at", "completed_on")

RISK_ANSWERS = Relation(
    name="risk_answers",
    description="One row per response and risk item that was answered at or above the threshold of its instrument's "
    "file, without value or score. The row stays when a rule holds the response back or a later export corrects the "
    "answer. Rapport does not monitor risk: nobody is alerted, a row comes a night late, and no page and no dashboard "
    "view shows it. A response that is held back may lack its client, rater, time or id. Without an id its other "
    "columns identify it. Where its records contradict each other, the column is null.",
    columns=(
        *map(resolve, ("source!", "response_id", "client_id", "instrument!", "item!")),
        *map(resolve, ("rater", "completed_at", "completed_on")),
        Column(
            "is_quarantined",
            "truth",
            "True while a rule holds the response back, in the newest export that shows the answer.",
            required=True,
        ),
        resolve("load_id!"),
        Column("loaded_at", "instant", "The as_of of the night that first read the answer.", required=True),
        *PROVENANCE,
    ),
    key=("source", "response_id", "instrument", "item"),
)


def keep_risk_answers(
    con: duckdb.DuckDBPyConnection, instruments: Iterable[Instrument], load_id: int, as_of: datetime
) -> None:
    """Enter the risk answers of tonight's staged responses, accepted or held back, while they are staged.

    A later export of the same answer adds no row; it updates whether the response is held back. When a file is read
    again by other rules and no longer holds an answer, the row goes.
    """
    _find(con, instruments)
    _take_away_unread(con)
    _renew(con)
    _confirm_known(con)
    con.execute(
        f"""
        INSERT INTO main.risk_answers BY NAME
        SELECT * EXCLUDE (arrived), ? AS load_id, ?::TIMESTAMPTZ AS loaded_at FROM staged.risk_answers AS s
        WHERE NOT EXISTS (FROM main.risk_answers AS r WHERE {_SAME})""",
        [load_id, as_of],
    )


def confirm_file(con: duckdb.DuckDBPyConnection, before: str, now: str, exported_at: datetime) -> None:
    """Enter the new export for a file that came again byte for byte."""
    con.execute(
        "UPDATE main.risk_answers SET file_id = ?, exported_at = ? WHERE file_id = ?", [now, exported_at, before]
    )


# The same answer: the same response id; without an id, the same values in all other columns.
_SAME = "s.source = r.source AND s.instrument = r.instrument AND s.item = r.item "
_SAME += "AND s.response_id IS NOT DISTINCT FROM r.response_id AND (s.response_id IS NOT NULL OR ("
_SAME += " AND ".join(f"s.{column} IS NOT DISTINCT FROM r.{column}" for column in _SAID) + "))"


def _find(con: duckdb.DuckDBPyConnection, instruments: Iterable[Instrument]) -> None:
    """Make staged.risk_answers: each answer once, from the newest of tonight's files that shows it."""
    raters = ", ".join(f"'{rater}'" for rater in RATERS)
    agreed = ", ".join(_agreed(column) for column in _SAID)
    con.execute(f"""
        CREATE OR REPLACE TABLE staged.risk_answers AS
        WITH told AS (
            SELECT source, response_id, instrument, item, client_id, completed_at, completed_on,
                CASE WHEN rater IN ({raters}) THEN rater END AS rater,
                disposition = 'quarantined' AS is_quarantined,
                file_id, file_number, exported_at, arrived, record_number, row_id,
                CASE WHEN response_id IS NULL THEN row({", ".join(_SAID)}) END AS otherwise
            FROM staged.responses JOIN (VALUES {_thresholds(instruments)}) AS t(instrument, item, operator, threshold)
                USING (instrument)
            JOIN (SELECT file_number, file_id, exported_at, arrived
                  FROM staged.files JOIN staged.arrivals USING (file_id)) USING (file_number)
            WHERE disposition <> 'duplicate' AND {_reached("answers[item]")})
        SELECT source, response_id, instrument, item, {agreed}, arg_min(is_quarantined, row_id) AS is_quarantined,
            file_id, arg_min(record_number, row_id) AS record_number, exported_at, arrived
        FROM told
        GROUP BY source, response_id, otherwise, instrument, item, file_number, file_id, exported_at, arrived
        QUALIFY row_number() OVER (PARTITION BY source, response_id, otherwise, instrument, item
            ORDER BY exported_at DESC, arrived DESC, file_number DESC) = 1""")


def _agreed(column: str) -> str:
    """Return SQL for a column's value where all rows of one response in one file agree; null where they differ."""
    return f"CASE WHEN min({column}) = max({column}) THEN max({column}) END AS {column}"


def _thresholds(instruments: Iterable[Instrument]) -> str:
    rows = [
        f"('{each.name}', {item}, '{risk.at.operator}', {risk.at.value}::FLOAT)"
        for each in instruments
        for risk in each.risks
        for item in risk.items
    ]
    return ", ".join(rows) or "(NULL::VARCHAR, NULL::INTEGER, NULL::VARCHAR, NULL::FLOAT)"


def _reached(answer: str) -> str:
    """Return the SQL condition that an answer reaches the threshold, by the operator in the instrument's file."""
    cases = " ".join(f"WHEN '{sign}' THEN {answer} {sign} threshold" for sign in OPERATORS)
    return f"CASE operator {cases} END"


def _take_away_unread(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(f"""
        DELETE FROM main.risk_answers AS r
        WHERE file_id IN (SELECT file_id FROM staged.files WHERE NOT is_passed_over)
          AND NOT EXISTS (FROM staged.risk_answers AS s WHERE {_SAME})""")


def _renew(con: duckdb.DuckDBPyConnection) -> None:
    shown = (*_SAID, "is_quarantined", "file_id", "record_number", "exported_at")
    con.execute(f"""
        UPDATE main.risk_answers AS r SET {", ".join(f"{column} = s.{column}" for column in shown)}
        FROM staged.risk_answers AS s, staged.arrivals AS a
        WHERE {_SAME} AND a.file_id = r.file_id
            AND row(s.exported_at, s.arrived) >= row(r.exported_at, a.arrived)""")


def _confirm_known(con: duckdb.DuckDBPyConnection) -> None:
    """Confirm the risk answers in known lines, which were not read again: the newest export shows them too."""
    shown = f"""
        SELECT r.rowid AS place, f.file_id, k.record_number, f.exported_at
        FROM main.risk_answers AS r JOIN staged.known_lines AS k ON r.response_id = k.id AND k.records = '{RISKS}'
        JOIN staged.files AS f ON f.source = r.source AND f.file_number = k.file_number"""
    confirm(con, "main.risk_answers", shown)

"""Views of every warehouse: facts that need no table of their own, and questions about today."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import duckdb

from rapport.warehouse.history.known_on_day import LOAD_OF_DAY
from rapport.warehouse.history.risk_answers import RISK_ANSWERS
from rapport.warehouse.schema.books import BOOKS
from rapport.warehouse.schema.columns import Column, resolve
from rapport.warehouse.schema.records import CAUSES, KINDS
from rapport.warehouse.schema.relations import Relation
from rapport.warehouse.schema.tables import Table
from rapport.warehouse.store.building_file import history_columns
from rapport.warehouse.store.quoting import quoted

NOT_KNOWN = "not known"  # a site or program


def _view(name: str, description: str, columns: Iterable[str | Column], query: str) -> Relation:
    return Relation(name, description, (), tuple(map(resolve, columns)), query)


VIEWS = (
    _view(
        "item_responses",
        "One row per answered item, as answered (nothing reversed). An item without an answer has no row.",
        [
            "response_id",
            "client_id",
            "session_id",
            "instrument",
            "rater",
            "rater_number",
            "completed_at",
            "item",
            Column("value", "number", "The answer, in the item's own range."),
            "is_used",
        ],
        """
        SELECT response_id, client_id, session_id, instrument, rater, rater_number, completed_at, item,
            round(answer::DOUBLE, 4) + 0.0 AS value, is_used
        FROM (SELECT r.response_id, r.client_id, r.session_id, r.instrument, r.rater, r.rater_number,
                r.completed_at, r.is_used,
                unnest(h.answers) AS answer, generate_subscripts(h.answers, 1)::INTEGER AS item
              FROM main.responses AS r JOIN history.responses AS h USING (source, response_id)
              WHERE h.known_to IS NULL)
        WHERE answer IS NOT NULL""",
    ),
    _view(
        "open_episodes",
        "One row per episode that is open at the night's as_of: a given one without a closing day or with a later one; "
        "a derived one with an attended treatment session in the last 90 days.",
        [
            "episode_id",
            "client_id",
            "opened_on",
            "last_session_on",
            Column("days_since_last_session", "integer", "Days from the latest session to as_of.", unit="days"),
        ],
        """
        SELECT e.episode_id, e.client_id, e.opened_on, s.last_session_on,
            date_diff('day', s.last_session_on, today) AS days_since_last_session
        FROM main.episodes AS e
        CROSS JOIN (SELECT (as_of AT TIME ZONE time_zone)::DATE AS today FROM load.current)
        LEFT JOIN (SELECT episode_id, max(session_date) AS last_session_on FROM main.sessions
                   WHERE is_treatment GROUP BY episode_id) AS s USING (episode_id)
        WHERE e.opened_on <= today AND CASE WHEN e.is_derived
            THEN date_diff('day', s.last_session_on, today) <= 90
            ELSE coalesce(e.closed_on >= today, true) END""",
    ),
    _view(
        "alliance_parts",
        "One row per alliance score of a dyad, as a sum: grand mean + between-person part + within-person part. The "
        "within parts of a person sum to 0 (Falkenström; Zilcha-Mano; Hoffart). They use later sessions too, since the "
        "person's mean is over all sessions. alliance.within_deviation uses only earlier sessions.",
        [
            "client_id",
            "session_id",
            "episode_id",
            "therapist_id",
            "session_number",
            "rater",
            "rater_number",
            "instrument",
            "scale",
            "score",
            Column("between_part", "number", "person_mean minus grand_mean (B): what differs between people."),
            Column("within_part", "number", "score minus person_mean (W): this session against the person's usual."),
        ],
        """
        SELECT a.client_id, a.session_id, a.episode_id, a.therapist_id, a.session_number, a.rater, a.rater_number,
            a.instrument, a.scale, a.score, m.person_mean - g.grand_mean AS between_part,
            a.score - m.person_mean AS within_part
        FROM main.alliance AS a
        JOIN main.alliance_means AS m ON a.episode_id = m.episode_id AND a.rater = m.rater
            AND a.rater_number = m.rater_number AND a.instrument = m.instrument AND a.scale = m.scale
            AND a.therapist_id IS NOT DISTINCT FROM m.therapist_id
        JOIN main.alliance_grand_means AS g
            ON a.rater = g.rater AND a.instrument = g.instrument AND a.scale = g.scale""",
    ),
    _view(
        "placed_episodes",
        "One row per episode with the site and program under which it is counted. Each episode counts once, so a "
        "director's figures add up. The site is that of the first treatment session that has a site.",
        ["episode_id", "client_id", "site", "program"],
        f"""
        SELECT e.episode_id, e.client_id, coalesce(s.site, '{NOT_KNOWN}') AS site,
            coalesce(e.program, '{NOT_KNOWN}') AS program
        FROM main.episodes AS e
        LEFT JOIN (SELECT episode_id, arg_min(site, client_session_number) AS site FROM main.sessions
                   WHERE is_treatment AND site IS NOT NULL GROUP BY episode_id) AS s USING (episode_id)""",
    ),
    _view(
        "unconfirmed_appointments",
        "One row per treatment appointment that is past at the night's as_of, although its export still says "
        "scheduled. Whether it was attended or missed is not known. No share of engagement counts it.",
        [
            "session_id",
            "client_id",
            "therapist_id",
            "episode_id",
            "starts_at",
            "session_date",
            Column("days_since", "integer", "Days from the appointment to as_of.", unit="days"),
        ],
        """
        SELECT a.session_id, a.client_id, a.therapist_id, a.episode_id, a.starts_at, a.session_date,
            date_diff('day', a.session_date, (as_of AT TIME ZONE time_zone)::DATE)::INTEGER AS days_since
        FROM main.appointments AS a CROSS JOIN load.current
        WHERE a.status = 'scheduled' AND a.is_treatment AND a.starts_at < as_of""",
    ),
    _view(
        "score_disagreements",
        "One row per given score that differs by more than 0.005 (rounding to two decimals) from the score computed "
        "from the answers of the same response, or whose answers are too few for a score. Both stay in scores.",
        [
            "response_id",
            "client_id",
            "session_id",
            "instrument",
            "scale",
            "rater",
            "rater_number",
            Column("given_score", "number", "The score in the export."),
            Column("computed_score", "number", "From the answers; null where the missing-item rule gives none."),
            Column("difference", "number", "Given minus computed; null without a computed score."),
        ],
        """
        SELECT response_id, given.client_id, given.session_id, given.instrument, scale, given.rater, given.rater_number,
            given.score AS given_score, computed.score AS computed_score,
            round(given.score - computed.score, 6) AS difference
        FROM main.scores AS given JOIN main.scores AS computed USING (response_id, scale)
        WHERE given.basis = 'given' AND computed.basis = 'computed' AND given.score IS NOT NULL
            AND coalesce(abs(given.score - computed.score) > 0.005, true)""",
    ),
)


def _movement_query(loads: str, later: str) -> str:
    """Return a query of the headlines' values, cause by cause. Each cause starts at the value after the cause before
    it, so the steps add up. `loads`: SQL that gives the step of each booked load."""
    order = f"list_position({list(CAUSES)}, cause)"
    return f"""
        SELECT load_id, headline, part, cause, value_before, value_after,
            round(value_after - value_before, 6) AS movement, numerator_change, denominator_change,
            CASE WHEN numerator_change IS NULL THEN 'a person was taken out since' END AS not_told
        FROM (
            SELECT *, lag(value_after) OVER (PARTITION BY headline, part ORDER BY load_id, told) AS value_before
            FROM (SELECT *, sum(numerator_change) OVER so_far / CASE WHEN denominator_change IS NULL THEN 1
                        ELSE nullif(sum(denominator_change) OVER so_far, 0) END AS value_after
                  FROM (SELECT {loads} AS load_id, headline, part, cause, {order} AS told,
                            sum(numerator_change) AS numerator_change, sum(denominator_change) AS denominator_change
                        FROM load.movements GROUP BY ALL)
                  WINDOW so_far AS (PARTITION BY headline, part ORDER BY load_id, told)))
        {later}"""


_MOVED: tuple[str | Column, ...] = (
    "load_id!",
    *BOOKS["movements"].columns[1:4],
    Column("value_before", "number", "The headline before; null when there was none."),
    Column("value_after", "number", "The headline after this cause: a sum, or a sum divided by a number of rows."),
    Column("movement", "number", "The change by this cause; the changes of all causes of a load add up."),
    *BOOKS["movements"].columns[4:],
    Column("not_told", "text", "Why the amounts are null; null where they are there."),
)

WHY_IT_MOVED = _view(
    "why_it_moved",
    "One row per load, headline and cause: how far new data, corrections, vanished records, erasures and changed "
    "definitions changed it, one after the other.",
    _MOVED,
    _movement_query("load_id", "ORDER BY load_id, headline, part, told"),
)


CLOSED = _view(
    "closed",
    "One row: the first day after the closed calendar months, at the night's as_of. Shared questions use no later "
    "data.",
    [Column("closed_to", "date", "The first day of the month of as_of, in the clinic's zone.")],
    "SELECT date_trunc('month', as_of AT TIME ZONE time_zone)::DATE AS closed_to FROM load.current",
)
LOAD_VIEWS = (WHY_IT_MOVED, CLOSED)
_WILSON = "((k + {z} * {z} / 2) {sign} {z} * sqrt(greatest(k * (n - k) / n, 0) + {z} * {z} / 4)) / (n + {z} * {z})"


def make_views(con: duckdb.DuckDBPyConnection) -> None:
    """Create main's views."""
    for view in VIEWS:
        con.execute(f"CREATE OR REPLACE VIEW main.{view.name} AS {view.query}")
    for view in LOAD_VIEWS:
        con.execute(f"CREATE OR REPLACE VIEW load.{view.name} AS {view.query}")


def make_wilson(con: duckdb.DuckDBPyConnection) -> None:
    """Create wilson_low(k, n) and wilson_high(k, n), the 95 % interval of a share (method 3 of Newcombe 1998)."""
    for name, sign in (("wilson_low", "-"), ("wilson_high", "+")):
        bound = _WILSON.format(z=1.959964, sign=sign)
        cut = f"CASE WHEN n > 0 AND k IS NOT NULL THEN greatest(0, least(1, {bound})) END"
        con.execute(f"CREATE OR REPLACE MACRO main.{name}(k, n) AS {cut}")
        comment_on(
            con, "MACRO", f"main.{name}", "An end of Wilson's 95 % interval of the share k / n; null where n is 0."
        )


def make_macros(con: duckdb.DuckDBPyConnection) -> None:
    """Create history.<records>_as_known_on(day) for every kind of record, and the macros that questions use."""
    make_wilson(con)
    between = _movement_query(
        "CASE WHEN load_id <= first_load THEN first_load ELSE last_load END",
        "WHERE load_id = last_load ORDER BY headline, part, told",
    ).replace("FROM load.movements", "FROM load.movements WHERE load_id <= last_load")
    con.execute(f"CREATE OR REPLACE MACRO load.movement_between(first_load, last_load) AS TABLE {between}")
    said = "The headlines' movement between two loads, by cause; columns as in why_it_moved."
    comment_on(con, "MACRO TABLE", "load.movement_between", said)
    for kind in KINDS.values():
        columns = ", ".join(column.name for column in kind.columns)
        con.execute(f"""
            CREATE OR REPLACE MACRO history.{kind.name}_as_known_on(day) AS TABLE
            SELECT {columns}, known_from FROM history.{kind.name}
            WHERE known_from <= ({LOAD_OF_DAY}) AND coalesce(known_to > ({LOAD_OF_DAY}), true)""")
        said = f"{kind.description} As they were known after the last load of a day (of the clinic's zone)."
        comment_on(con, "MACRO TABLE", f"history.{kind.name}_as_known_on", said)


def make_question_views(
    con: duckdb.DuckDBPyConnection, questions: Mapping[str, tuple[str, str, Mapping[str, str]]]
) -> list[str]:
    """Create a view per dashboard question: name -> (query, the question, its columns' descriptions). A question that
    DuckDB refuses has no view, and the night goes on. Return the names of these questions."""
    for (name,) in con.sql("SELECT view_name FROM duckdb_views() WHERE schema_name = 'dashboard'").fetchall():
        con.execute(f"DROP VIEW dashboard.{name}")
    refused = []
    for name, (query, question, columns) in questions.items():
        try:
            con.execute(f"CREATE VIEW dashboard.{name} AS {query}")
        except duckdb.Error:
            refused.append(name)
            continue
        comment_on(con, "VIEW", f"dashboard.{name}", question)
        for column, description in columns.items():
            comment_on(con, "COLUMN", f"dashboard.{name}.{column}", description)
    return refused


def make_comments(con: duckdb.DuckDBPyConnection, tables: list[Table]) -> None:
    """Write every description into DuckDB's comments; the data dictionary is read from there.

    A table keeps the comments of yesterday's file, so only changed ones are written. A view made anew has none.
    """
    said_of = [("TABLE", f"main.{each.name}", f"{each.description} Per {each.per}.", each.columns) for each in tables]
    said_of += [("TABLE", f"main.{RISK_ANSWERS.name}", RISK_ANSWERS.description, RISK_ANSWERS.columns)]
    for schema, what, relations in (
        ("main", "VIEW", VIEWS),
        ("load", "VIEW", LOAD_VIEWS),
        ("load", "TABLE", BOOKS.values()),
    ):
        said_of += [(what, f"{schema}.{each.name}", each.description, each.columns) for each in relations]
    for kind in KINDS.values():
        said_of += [("TABLE", f"history.{kind.name}", f"{kind.description} Every version.", history_columns(kind))]
    wanted = {told: comment for each in said_of for told, comment in _described(*each).items()}
    said = _comments(con)
    for (what, name), comment in wanted.items():
        if said.get(name) != comment:
            comment_on(con, what, name, comment)


def _described(what: str, name: str, comment: str, columns: tuple[Column, ...]) -> dict[tuple[str, str], str]:
    return {(what, name): comment, **{("COLUMN", f"{name}.{column.name}"): column.comment for column in columns}}


def _comments(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Return the comments of tables and columns, by name."""
    here = "comment IS NOT NULL AND database_name = current_database()"
    return dict(
        con.sql(f"""
            SELECT concat_ws('.', schema_name, table_name), comment FROM duckdb_tables() WHERE {here}
            UNION ALL
            SELECT concat_ws('.', schema_name, table_name, column_name), comment FROM duckdb_columns() WHERE {here}
        """).fetchall()
    )


def comment_on(con: duckdb.DuckDBPyConnection, what: str, name: str, comment: str) -> None:
    """COMMENT ON."""
    con.execute(f"COMMENT ON {what} {name} IS {quoted(comment)}")

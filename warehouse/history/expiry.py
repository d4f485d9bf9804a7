"""Clients with episodes that ended longer ago than the clinic keeps them, and the last day to erase of each client.

A given episode ends on its closing day; a derived one on its last session. Of overlapping episodes each ends with the
last: their records cannot be told apart. For a client without an episode the last known day counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import duckdb

from rapport.warehouse.history.person_rows import DAY, tables
from rapport.warehouse.store.one_row import number, one_row


@dataclass(frozen=True)
class Expired:
    """Clients (hexadecimal) whose care ended before a day, each with the last day to erase, and the number of episodes.
    `joined`: the same for these clients' other record numbers, by the pseudonym of each number alone. `idle_count`:
    episodes without a closing day, of clients without data since that day. They stay."""

    before: date
    until: Mapping[str, date] = field(default_factory=dict)
    episode_count: int = 0
    idle_count: int = 0
    joined: Mapping[str, date] = field(default_factory=dict)

    @property
    def until_by_number(self) -> dict[str, date]:
        """Return the last day to erase for each record number, by the pseudonym of the number alone."""
        return {**self.until, **self.joined}


_ENDED = f"""
    days AS ({" UNION ALL ".join(f"SELECT client_id, {day} AS day FROM history.{kind}" for kind, day in DAY.items())}),
    ended AS (
        SELECT client_id, is_derived, opened_on, CASE WHEN is_derived THEN coalesce(last_on, opened_on)
            WHEN closed_on IS NULL THEN DATE '9999-12-31' ELSE greatest(opened_on, closed_on) END AS ended_on
        FROM main.episodes
        LEFT JOIN (SELECT episode_id, max(session_date) AS last_on FROM main.sessions GROUP BY ALL) USING (episode_id))
"""
_UNTIL = f"""
    WITH {_ENDED},
    past AS (  -- everything of them has ended
        SELECT client_id FROM ended GROUP BY ALL HAVING max(ended_on) < $before
        UNION ALL
        SELECT client_id FROM days ANTI JOIN ended USING (client_id) GROUP BY ALL HAVING max(day) < $before),
    until AS (
        SELECT client_id, $before::DATE - 1 AS until FROM past
        UNION ALL
        SELECT client_id, max(ended_on) FROM ended AS e ANTI JOIN past USING (client_id)
        WHERE ended_on < $before AND NOT EXISTS (
            FROM ended AS later WHERE later.client_id = e.client_id AND later.opened_on <= e.ended_on
                AND later.ended_on > e.ended_on)
        GROUP BY ALL)
    SELECT replace(client_id::VARCHAR, '-', ''), until, count(opened_on) FILTER (opened_on <= until)
    FROM until LEFT JOIN ended USING (client_id) GROUP BY ALL"""
_IDLE = f"""
    WITH {_ENDED}
    SELECT count(*) FROM ended WHERE ended_on = DATE '9999-12-31' AND client_id NOT IN (
        SELECT client_id FROM days WHERE day >= $before)"""


def find_expired(con: duckdb.DuckDBPyConnection, before: date) -> Expired:
    """Return the expired clients and episodes of a published file. `before`: the first day that is still kept."""
    found = con.execute(_UNTIL, {"before": before}).fetchall()
    idle_count = number(con, _IDLE, {"before": before})
    until = {client: day for client, day, _ in found}
    joined = {own: until[client] for own, client in _joined(con) if client in until}
    return Expired(before, until, sum(count for *_, count in found), idle_count, joined)


def _joined(con: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    if "load.client_links" not in tables(con):  # of an earlier version of Rapport
        return []
    return con.sql("""
        SELECT replace(own_id::VARCHAR, '-', ''), replace(client_id::VARCHAR, '-', '') FROM load.client_links
        WHERE withdrawn_by IS NULL""").fetchall()


def count_going(con: duckdb.DuckDBPyConnection) -> tuple[int, int]:
    """Return how many of the people that `erase.people_to_erase` found have expired, and how many episodes."""
    asked = """
        SELECT count(DISTINCT client_id)::INTEGER, (count(opened_on) FILTER (opened_on <= until))::INTEGER
        FROM own_people LEFT JOIN (SELECT client_id, opened_on FROM main.episodes) AS e USING (client_id)
        WHERE until IS NOT NULL"""
    people, episodes = one_row(con, asked)
    return people, episodes

"""The sessions of many episodes as places in one sequence: the next session has the next place."""

from __future__ import annotations

import polars as pl


class Places:
    """A place for each session number of each episode, from 1 to one after its last, and then a free place.

    `frame`: the numbers of episode and client, and the session number, of each place. Two lines of scores have the same
    place for the same session, so that nothing is sorted and little is joined.
    """

    def __init__(self, scored: pl.DataFrame) -> None:
        width = pl.col("session_number").max().cast(pl.Int64) + 2
        whose = scored.group_by("episode_id").agg(pl.col("client_id").first(), width=width)
        episodes = whose.sort("episode_id").with_row_index("episode")
        self._episodes = episodes.with_columns(
            begins=pl.col("width").cum_sum() - pl.col("width"), client=pl.col("client_id").rank("dense")
        ).drop("client_id")
        each = self._episodes.select("episode", "client", session=pl.int_ranges(1, pl.col("width") + 1))
        self.frame = each.explode("session").with_columns(pl.col("session").cast(pl.Float64))

    def placed(self, scored: pl.DataFrame) -> pl.DataFrame:
        """Return the scores that have a place, with their `place`."""
        found = scored.join(self._episodes, on="episode_id", how="left", maintain_order="left")
        number = pl.col("session_number")
        return found.filter(number < pl.col("width")).with_columns(place=pl.col("begins") + number - 1)

    def at(self, place: pl.Series, value: pl.Series) -> pl.Series:
        """Return a series with the values at their places, null elsewhere."""
        return pl.repeat(None, self.frame.height, dtype=value.dtype, eager=True).scatter(place, value)

"""Ids as the tables of the whole clinic match and count them."""

from __future__ import annotations

import polars as pl
import polars.selectors as cs


def light(*ids: str) -> pl.Expr:
    """Those ids, a pseudonym of 16 bytes as the number that it is: matched and counted in half the time, and in the
    same order."""
    return (cs.by_name(*ids) & cs.binary()).bin.reinterpret(dtype=pl.UInt128, endianness="big")

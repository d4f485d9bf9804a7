"""Frames: exact sums, ids as numbers, typed rows."""

"""What a night costs, against the floor: the same two files read as text and written to a DuckDB file, no more."""

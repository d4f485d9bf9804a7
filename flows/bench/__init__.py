"""The cost of a night, compared with a floor: reading the same two files as text and writing them to a DuckDB file."""

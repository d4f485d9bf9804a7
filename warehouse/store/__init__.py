"""The DuckDB file: how it is opened, built, encrypted and compacted."""

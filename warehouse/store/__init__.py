"""The DuckDB file: opened, built, encrypted, compacted."""

"""The facts (columns, tables, instruments, the clinic's file) and the DuckDB warehouse that holds them."""

"""Columns, tables, records and books, declared."""

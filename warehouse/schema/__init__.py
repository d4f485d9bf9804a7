"""Declarations of columns, tables, records and books."""

"""Exports opened: what they are, their header, their records."""

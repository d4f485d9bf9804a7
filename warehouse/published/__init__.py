"""The published file: its dictionary, views, safe file, and what is asked of it."""

"""The published file: its dictionary, its views, the safe file, and queries for pages and monitors."""

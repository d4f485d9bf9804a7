"""The questions of readers. Each .sql file is one question and one view."""

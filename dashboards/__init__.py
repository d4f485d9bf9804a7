"""What people ask: one .sql file is one question is one view."""

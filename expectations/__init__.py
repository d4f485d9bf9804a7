"""Great Expectations lives only here: what columns promise, and what one table's suite adds."""

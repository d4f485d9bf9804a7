"""The folders and small files of a warehouse."""

"""Folders and small files of a warehouse."""

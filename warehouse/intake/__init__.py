"""The intake of files: staged rows, the ledgers of files and rows, quarantine, and lines that were read before."""

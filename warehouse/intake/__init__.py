"""What came and waits: staged rows, the ledger of files, quarantine, lines met before."""

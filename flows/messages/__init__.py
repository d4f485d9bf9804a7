"""What Rapport tells people: messages, the night's report, a heartbeat, metrics, files for spreadsheets."""

"""Output for people and monitors: messages, the night's report, a heartbeat, metrics, files for spreadsheets."""

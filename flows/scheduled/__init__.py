"""Nights on a schedule: deployments, the server, weekly work."""

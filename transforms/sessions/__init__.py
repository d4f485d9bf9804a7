"""Appointments, sessions, episodes, people, and the responses of sessions."""

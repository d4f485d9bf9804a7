"""Appointments, sessions, episodes, people, and the responses that belong to them."""

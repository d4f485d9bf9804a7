"""Structures inside the exports of some systems: resources, series, entities with values."""

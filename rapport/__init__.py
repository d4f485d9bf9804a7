"""Rapport: the links beside this file make the five folders one package."""

__version__ = "0.1.0"

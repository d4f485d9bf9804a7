"""The scores of questionnaires, from their answers."""

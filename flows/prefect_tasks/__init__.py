"""The night's steps as Prefect tasks, and Prefect's settings."""

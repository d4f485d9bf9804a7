"""The keys of TOML files that people write, each declared once in the TOML files of this folder."""

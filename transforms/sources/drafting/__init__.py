"""A first clinic file, drafted from exports."""

"""What stands in `private/`: keys, the crosswalk, tombstones, erasures."""

"""What stands within exports of some systems: resources, series, entities with their values."""

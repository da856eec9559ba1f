"""What several capabilities together tell at a glance: reads only."""

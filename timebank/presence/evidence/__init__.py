"""What a scan is proved by: claims, codes, cards, browsers, and the clock of the device."""

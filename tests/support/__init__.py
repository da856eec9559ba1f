"""What tests of several packages share: the town, its people, the service, and real devices."""

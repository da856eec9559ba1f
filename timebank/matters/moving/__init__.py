"""Reports of a place in another community: refused here, opened there by the outbox, with the first receipt's clock."""

"""Promises of the source itself: layers, manifests, documents."""

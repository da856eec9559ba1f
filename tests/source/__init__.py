"""Tests of the source itself: layers, capability manifests, documents."""

"""Tests of query plans: what a statement reads in a community with years of history."""

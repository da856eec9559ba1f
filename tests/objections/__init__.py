"""Tests of objections to any subject."""

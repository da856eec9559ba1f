"""Pinyin: how Chinese is spelled, to sort names and to find them by what is typed."""

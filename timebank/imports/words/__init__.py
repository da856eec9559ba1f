"""The community's own words for its places, items, stations and activities."""

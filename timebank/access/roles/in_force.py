"""SQL conditions on a role grant: whether it is in force on a day, or not over yet. No other module writes them.

`today` is the day's placeholder, such as `$4`; `g` is the name of the grant's row in the statement.
"""


def is_in_force(today: str, g: str = "g") -> str:
    """The grant has begun and is not over: its holder acts by it on this day."""
    return f"{is_not_over(today, g)} AND {g}.starts_on <= {today}"


def is_not_over(today: str, g: str = "g") -> str:
    """The grant has neither been ended nor run out; it may begin on a later day."""
    return f"{g}.ended_at IS NULL AND ({g}.ends_on IS NULL OR {g}.ends_on >= {today})"

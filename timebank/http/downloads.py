"""Files that an answer brings."""

from urllib.parse import quote

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def attachment(name: str, plain: str) -> str:
    """A Content-Disposition header for a download of this name; `plain` is for old browsers, in ASCII."""
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name)}"

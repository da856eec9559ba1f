"""Identity numbers in a workbook: the check of timebank/people/identity/citizen_number.py, answered as a Problem."""

from timebank.imports.cells.problems import Problem, problem
from timebank.people.identity.citizen_number import Identity, Sex, check_character, parse_identity
from timebank.people.identity.documents import FOREIGNER, Document, read_document

__all__ = ["Document", "Identity", "Sex", "check_character", "mask_number", "read_identity"]


def read_identity(number: str, kind: str | None = None) -> Identity | Document | Problem:
    """Check a number already stripped of spaces and in upper case; `kind` is the document named in another column."""
    judged = parse_identity(number)
    if isinstance(judged, Identity) and kind in (None, FOREIGNER):
        return judged
    document = read_document(number, kind)
    if document is not None:
        return document
    if isinstance(judged, Identity) or kind is not None:
        return problem("document_number", kind=kind or "")
    return problem(judged, length=len(number)) if judged == "identity_length" else problem(judged)


def mask_number(text: str) -> str:
    """Mask an identity number or phone for a report: enough to find the row, too little to use."""
    bare = "".join(text.split())
    if len(bare) >= 15:
        return f"{bare[:4]}****{bare[-4:]}"
    if len(bare) >= 10:
        return f"{bare[:3]}****{bare[-4:]}"
    return bare[:1] + "*" * (len(bare) - 1)

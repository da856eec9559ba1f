"""Parses the XML parts of workbooks without expanding entities or fetching anything, and ignores prefixes."""

from xml.parsers import expat

from timebank.imports.files.refusals import WorkbookBroken

TRUE = frozenset({"1", "true", "on"})


def parser() -> expat.XMLParserType:
    """An XML parser that raises WorkbookBroken for a DOCTYPE, so that no entity is expanded or fetched."""
    made = expat.ParserCreate()
    made.StartDoctypeDeclHandler = _refuse_doctype
    made.buffer_text = True
    return made


def _refuse_doctype(*_declared: object) -> None:
    raise WorkbookBroken


def local_name(name: str) -> str:
    """An element's or attribute's name without its prefix; apart from it, strict and other files use the same names."""
    return name.rpartition(":")[2]


def parsed(reader: expat.XMLParserType, part: bytes) -> None:
    """Run a parser over a part. Raises WorkbookBroken if it is not well-formed XML."""
    try:
        reader.Parse(part, True)
    except (expat.ExpatError, LookupError, ValueError) as damage:  # the others are of an encoding that nobody has
        raise WorkbookBroken from damage

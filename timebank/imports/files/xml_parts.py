"""Reading the XML parts of workbooks: nothing is expanded, nothing fetched, prefixes do not count."""

from xml.parsers import expat

from timebank.imports.files.refusals import WorkbookBroken

TRUE = frozenset({"1", "true", "on"})


def parser() -> expat.XMLParserType:
    """An XML parser that takes no document type, so that nothing is expanded and nothing fetched."""
    made = expat.ParserCreate()
    made.StartDoctypeDeclHandler = _refuse_doctype
    made.buffer_text = True
    return made


def _refuse_doctype(*_declared: object) -> None:
    raise WorkbookBroken


def local(name: str) -> str:
    """An element's or attribute's name without its prefix; strict files and others differ in nothing else."""
    return name.rpartition(":")[2]


def parsed(reader: expat.XMLParserType, part: bytes) -> None:
    """Run a parser over a part; raises WorkbookBroken for what is not XML."""
    try:
        reader.Parse(part, True)
    except (expat.ExpatError, LookupError, ValueError) as damage:  # the others are of an encoding that nobody has
        raise WorkbookBroken from damage

"""Annotation files in XML: parsed without believing them."""

import re
from pathlib import Path
from typing import Any, BinaryIO
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from segcore.errors import AnnotationError

LARGEST = 256 << 20
"""Bytes; the parsed document takes ten times as much memory."""
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def read_root(path: Path) -> Any:
    """Return the root element of an XML file; raises AnnotationError with one sentence."""
    try:
        data = path.read_bytes() if path.stat().st_size <= LARGEST else bytes(LARGEST + 1)
    except OSError as error:
        raise AnnotationError(
            f"{path.name} cannot be read: {error.strerror}; check that it is there."
        ) from error
    return root_of(data, path.name)


def root_of(data: bytes, name: str) -> Any:
    """Return the root element of an XML document called `name`; raises AnnotationError with one sentence."""
    if len(data) > LARGEST:
        raise AnnotationError(f"{name} is larger than {LARGEST >> 20} MB; export it in parts.")
    try:
        return fromstring(data)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise AnnotationError(
            f"{name} is no sound XML, or it is cut off; export it again."
        ) from error


def root_tag(head: bytes) -> str:
    """Return the name of the first element in the first bytes of a document, "" where it is no XML."""
    text = head.decode("utf-16" if head.startswith(_UTF16) else "utf-8", "replace").lstrip("\ufeff")
    if not text.lstrip().startswith("<"):
        return ""
    found = re.search(r"<([A-Za-z_][\w.:-]*)", re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL))
    return found.group(1) if found else ""


def write_root(file: BinaryIO, root: ET.Element) -> None:
    """Write a document, one element to a line; characters that XML does not know are left out."""
    for element in root.iter():
        element.attrib = {key: _allowed(value) for key, value in element.attrib.items()}
        element.text = _allowed(element.text) if element.text else element.text
    ET.indent(root, "\t")
    ET.ElementTree(root).write(file, encoding="utf-8", xml_declaration=True)


def _allowed(text: str) -> str:
    return _FORBIDDEN.sub("", text)

"""Annotation files in XML: parsed without believing them."""

from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException, ElementTree

from segcore.errors import AnnotationError

LARGEST = 256 << 20
"""Bytes; the parsed document takes ten times as much memory."""


def read_root(path: Path) -> Any:
    """Return the root element of an XML file; raises AnnotationError with one sentence."""
    try:
        if path.stat().st_size > LARGEST:
            raise AnnotationError(
                f"{path.name} is larger than {LARGEST >> 20} MB; export it in parts."
            )
        return ElementTree.parse(path).getroot()
    except OSError as error:
        raise AnnotationError(
            f"{path.name} cannot be read: {error.strerror}; check that it is there."
        ) from error
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise AnnotationError(
            f"{path.name} is no sound XML, or it is cut off; export it again."
        ) from error

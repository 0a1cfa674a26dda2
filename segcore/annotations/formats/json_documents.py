"""Annotation files in JSON that are no GeoJSON."""

import re
from typing import Any

import msgspec

from segcore.errors import AnnotationError


def parsed(text: bytes) -> Any:
    """Return a whole document; raises AnnotationError with the reason."""
    try:
        return msgspec.json.decode(text)
    except UnicodeDecodeError:
        return parsed(text.decode(errors="replace").encode())
    except (msgspec.MsgspecError, RecursionError) as error:
        raise AnnotationError("it is no JSON, or it is cut off") from error


def says(head: bytes, key: str) -> bool:
    """Whether the first bytes of a document hold a member called `key`."""
    return re.search(rb'"%s"\s*:' % key.encode(), head) is not None

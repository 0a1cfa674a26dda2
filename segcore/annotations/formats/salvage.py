"""What is left of a GeoJSON document that is damaged in places or cut off."""

import json
import re
from typing import Any

from segcore.errors import AnnotationError

_START = re.compile(r'^\s*\[|"features"\s*:\s*\[')
_NEXT = re.compile(r'[,\[]\s*(?=\{\s*"(?:type|id|geometry|properties)"\s*:)')
_BETWEEN = frozenset(" \t\r\n,")
_MOST_FAULTS = 100


def salvaged(text: str) -> tuple[list[Any], str]:
    """Return the members of the first list of features that can be read, and a sentence about the others.

    Raises AnnotationError where there are none.
    """
    start = _START.search(text)
    found: list[Any] = []
    faults, at = 0, start.end() if start else len(text)
    decoder = json.JSONDecoder()
    while at < len(text) and faults < _MOST_FAULTS:
        while text[at : at + 1] in _BETWEEN:
            at += 1
        if text[at : at + 1] == "]":
            break
        try:
            member, at = decoder.raw_decode(text, at)
            found.append(member)
        except (ValueError, RecursionError):
            faults += 1
            following = _NEXT.search(text, at)
            at = following.end() if following else len(text)
    if not any(isinstance(each, dict) for each in found):
        raise AnnotationError("it is no JSON, or it is cut off")
    places = f"in {faults:,} places" if faults > 1 else "in one place"
    return found, f"The file is damaged or cut off {places}; what could be read of it was."

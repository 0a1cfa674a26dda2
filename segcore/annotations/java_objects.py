"""Streams of serialised Java objects, as data: no class is looked up and nothing is run.

Grammar: Java Object Serialization Specification, version 6, "Object Serialization Stream Protocol".
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

MAGIC = b"\xac\xed\x00\x05"
_NULL, _REFERENCE, _CLASS, _OBJECT, _STRING, _ARRAY = range(0x70, 0x76)
_NAME, _BLOCK, _END, _RESET, _LONG_BLOCK, _EXCEPTION, _LONG_STRING, _PROXY, _ENUM = range(
    0x76, 0x7F
)
_CLASS_DESCRIPTION = 0x72
_FIRST_HANDLE = 0x7E0000
_CODES = {"B": "b", "D": "d", "F": "f", "I": "i", "J": "q", "S": "h", "Z": "?", "C": "H"}
_WRITES, _EXTERNALISES, _IN_BLOCKS = 1, 4, 8
_DEEPEST = 150
"""Objects within one another; a deeper stream would overflow the stack."""


class DamagedStreamError(ValueError):
    """A stream that does not follow the grammar."""


@dataclass(eq=False)
class JavaClass:
    name: str
    flags: int = 0
    fields: list[tuple[str, str]] = field(default_factory=list)
    """Type code and name of each."""
    parent: "JavaClass | None" = None


@dataclass(eq=False)
class JavaObject:
    """What a stream says of an object, whatever its class may make of it."""

    class_name: str
    fields: dict[str, Any] = field(default_factory=dict)
    contents: list[Any] = field(default_factory=list)
    """What it wrote by itself: bytes and objects, in their order."""


def objects_of(data: bytes) -> list[Any]:
    """Return the contents of a stream: bytes of primitive values, and objects. Raises DamagedStreamError."""
    if not data.startswith(MAGIC):
        raise DamagedStreamError("it does not begin as one")
    stream = _Stream(data)
    found = []
    try:
        while not stream.at_end:
            found.append(stream.content())
    except (struct.error, IndexError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DamagedStreamError("it is damaged or cut off") from error
    return found


class _Stream:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = len(MAGIC)
        self._depth = 0
        self._handles: list[Any] = []
        self._readers: dict[int, Callable[[], Any]] = {
            _NULL: lambda: None,
            _REFERENCE: lambda: self._handles[self._number("i") - _FIRST_HANDLE],
            _CLASS: lambda: self._remembered(self._class()),
            _CLASS_DESCRIPTION: self._class_description,
            _OBJECT: self._object,
            _STRING: lambda: self._remembered(self._text(self._number("H"))),
            _LONG_STRING: lambda: self._remembered(self._text(self._number("Q"))),
            _ARRAY: self._array,
            _BLOCK: lambda: self._bytes(self._number("B")),
            _LONG_BLOCK: lambda: self._bytes(self._number("I")),
            _ENUM: self._enum,
            _PROXY: self._proxy,
        }

    @property
    def at_end(self) -> bool:
        return self._at >= len(self._data)

    def content(self) -> Any:
        """Return the next object or block of bytes."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise DamagedStreamError("its objects are nested too deeply")
        reader = self._readers.get(self._number("B"))
        if reader is None:
            raise DamagedStreamError("it holds something unknown")
        found = reader()
        self._depth -= 1
        return found

    def _number(self, code: str) -> Any:
        [value] = struct.unpack_from(f">{code}", self._data, self._at)
        self._at += struct.calcsize(f">{code}")
        return value

    def _bytes(self, count: int) -> bytes:
        if count > len(self._data) - self._at:
            raise DamagedStreamError("it is cut off")
        self._at += count
        return self._data[self._at - count : self._at]

    def _text(self, count: int) -> str:
        return self._bytes(count).decode("utf-8", "replace")  # modified UTF-8 differs in NUL only

    def _remembered(self, value: Any) -> Any:
        self._handles.append(value)
        return value

    def _class(self) -> JavaClass | None:
        found = self.content()
        if found is not None and not isinstance(found, JavaClass):
            raise DamagedStreamError("a class is none")
        return found

    def _class_description(self) -> JavaClass:
        found = JavaClass(self._text(self._number("H")))
        self._at += 8  # the version of the class
        self._remembered(found)
        found.flags = self._number("B")
        for _ in range(self._number("H")):
            code = chr(self._number("B"))
            name = self._text(self._number("H"))
            if code in "[L":
                self.content()  # the class of the field, of which the value tells more
            found.fields.append((code, name))
        self._until_end()
        found.parent = self._class()
        return found

    def _proxy(self) -> JavaClass:
        found = self._remembered(JavaClass("proxy"))
        for _ in range(self._number("I")):
            self._text(self._number("H"))
        self._until_end()
        found.parent = self._class()
        return found

    def _until_end(self) -> list[Any]:
        """Return what stands before the mark that ends what an object writes by itself."""
        found = []
        while self._data[self._at] != _END:
            found.append(self.content())
        self._at += 1
        return found

    def _object(self) -> JavaObject:
        of = self._class()
        if of is None:
            raise DamagedStreamError("an object has no class")
        found = self._remembered(JavaObject(of.name))
        if of.flags & _EXTERNALISES:  # it writes for all its lineage, once
            if not of.flags & _IN_BLOCKS:
                raise DamagedStreamError("an object says nothing of its length")
            found.contents = self._until_end()
            return found
        lineage: list[JavaClass] = []
        while of and len(lineage) < _DEEPEST:
            lineage.append(of)
            of = of.parent
        for each in reversed(lineage):
            self._read_part(found, each)
        return found

    def _read_part(self, found: JavaObject, of: JavaClass) -> None:
        """Read what one class of its lineage has written of an object."""
        for code, name in of.fields:
            found.fields[name] = self._value(code)
        if of.flags & _WRITES:
            found.contents += self._until_end()

    def _value(self, code: str) -> Any:
        return self.content() if code in "[L" else self._number(_CODES[code])

    def _array(self) -> Any:
        of = self._class()
        code = of.name[1:2] if of else ""
        place = len(self._handles)
        self._remembered(None)
        count = self._number("i")
        if not 0 <= count <= len(self._data) - self._at:
            raise DamagedStreamError("it is cut off")
        if code in _CODES:
            layout = f">{count}{_CODES[code]}"
            found: Any = struct.unpack(layout, self._bytes(struct.calcsize(layout)))
        else:
            found = [self.content() for _ in range(count)]
        self._handles[place] = found
        return found

    def _enum(self) -> Any:
        self._class()
        place = len(self._handles)
        self._remembered(None)
        self._handles[place] = self.content()
        return self._handles[place]

"""Small streams of Java objects, written by hand after the specification of Java's serialisation."""

import struct

import shapely

SERIALISED, WRITES, EXTERNAL_IN_BLOCKS = 2, 3, 12
NULL, END = b"\x70", b"\x78"
TYPES = {"[F": "f", "[B": "b", "[D": "d"}


def text(value):
    return struct.pack(">H", len(value.encode())) + value.encode()


def string(value):
    return b"\x74" + text(value)


def block(data):
    return b"\x77" + bytes([len(data)]) + data


def integer(value):
    return block(struct.pack(">i", value))


def of_class(name, flags=SERIALISED, fields=()):
    """Return the description of a class with fields of (type, name)."""
    listed = b"".join(
        kind[:1].encode() + text(field) + (string(kind) if kind[0] in "[L" else b"")
        for kind, field in fields
    )
    return (
        b"\x72"
        + text(name)
        + bytes(8)
        + bytes([flags])
        + struct.pack(">H", len(fields))
        + listed
        + END
        + NULL
    )


def external(name, *contents):
    return b"\x73" + of_class(name, EXTERNAL_IN_BLOCKS) + b"".join(contents) + END


def plain(name, /, **fields):
    """Return an object with fields that are given as (type, bytes)."""
    kinds = [(kind, key) for key, (kind, _) in fields.items()]
    return (
        b"\x73" + of_class(name, SERIALISED, kinds) + b"".join(data for _, data in fields.values())
    )


def array(kind, values):
    return (
        b"\x75"
        + of_class(kind)
        + struct.pack(f">i{len(values)}{TYPES[kind]}", len(values), *values)
    )


def strings(*values):
    return (
        b"\x75"
        + of_class("[Ljava.lang.String;")
        + struct.pack(">i", len(values))
        + b"".join(map(string, values))
    )


def roi(kind, **members):
    arrays = {
        key: ("[F", array("[F", value)) for key, value in members.items() if isinstance(value, list)
    }
    numbers = {
        key: ("F", struct.pack(">f", value))
        for key, value in members.items()
        if isinstance(value, float)
    }
    data = {
        key: ("[B", array("[B", list(struct.unpack(f"{len(value)}b", value))))
        for key, value in members.items()
        if isinstance(value, bytes)
    }
    plane = {"c": ("I", struct.pack(">i", -1)), "z": ("I", bytes(4)), "t": ("I", bytes(4))}
    return plain(f"qupath.lib.roi.{kind}$SerializationProxy", **plane, **numbers, **arrays, **data)


def wrapped(name, code, layout, value):
    return plain(f"java.lang.{name}", value=(code, struct.pack(layout, value)))


def path_class(name, parent=NULL):
    colour = wrapped("Integer", "I", ">i", -3670016)
    return plain(
        "qupath.lib.objects.classes.PathClass",
        colorRGB=("Ljava/lang/Integer;", colour),
        name=("Ljava/lang/String;", string(name)),
        parentClass=("Lqupath/lib/objects/classes/PathClass;", parent),
    )


def item(kind, outline, *rest, name=NULL, of=NULL, children=(), locked=False, number=1):
    identity = f"00000000-0000-4000-8000-{number:012}"
    return external(
        f"qupath.lib.objects.{kind}",
        name,
        NULL,
        external(
            "qupath.lib.objects.MetadataMap",
            integer(1),
            strings("Object ID", "k"),
            strings(identity, "v"),
        ),
        NULL,
        integer(len(children)),
        *children,
        wrapped("Boolean", "Z", ">?", locked),
        of,
        outline,
        block(struct.pack(">d", float("nan"))),
        *rest,
    )


def stream(*contents):
    return b"\xac\xed\x00\x05" + b"".join(contents)


def hierarchy(*items):
    root = external(
        "qupath.lib.objects.PathRootObject", NULL, NULL, NULL, NULL, integer(len(items)), *items
    )
    return plain(
        "qupath.lib.objects.hierarchy.PathObjectHierarchy",
        rootObject=("Lqupath/lib/objects/PathObject;", root),
    )


def qpdata():
    """Return a file with one outline of each kind, a cell within a rectangle, and a derived class."""
    polygon = roi("PolygonROI", x=[10.0, 30.0, 30.0, 10.0], y=[10.0, 10.0, 20.0, 20.0])
    nucleus = roi("PolygonROI", x=[12.0, 14.0, 14.0], y=[12.0, 12.0, 14.0])
    holed = shapely.box(50, 50, 90, 90).difference(shapely.box(60, 60, 70, 70))
    cell = item(
        "PathCellObject", polygon, nucleus, of=path_class("Positive", path_class("Tumor")), number=2
    )
    return stream(
        block(b"\x00\x13Data file version 3"),
        hierarchy(
            item(
                "PathAnnotationObject",
                roi("RectangleROI", x=1.0, y=2.0, x2=41.0, y2=32.0),
                name=string("R"),
                children=[cell],
                locked=True,
            ),
            item(
                "PathAnnotationObject",
                roi("EllipseROI", x=100.0, y=50.0, x2=120.0, y2=60.0),
                of=path_class("Stroma"),
                number=3,
            ),
            item(
                "PathAnnotationObject",
                roi("GeometryROI", wkb=shapely.to_wkb(holed, byte_order=0)),
                number=4,
            ),
            item("PathAnnotationObject", roi("LineROI", x=0.0, y=0.0, x2=3.0, y2=4.0), number=5),
            item(
                "PathAnnotationObject",
                roi("PolylineROI", x=[0.0, 3.0, 3.0], y=[0.0, 0.0, 4.0]),
                number=6,
            ),
            item("PathAnnotationObject", roi("PointsROI", x=[5.0, 6.0], y=[7.0, 8.0]), number=7),
            item("PathAnnotationObject", roi("UnheardOfROI", x=[5.0]), number=8),
        ),
        string("EOF"),
    )

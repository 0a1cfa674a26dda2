"""Drives gestures of tools without a window."""

from viewer.document import Document
from viewer.tools import Context, Pointer, tool_named


def drive(tool, *events, width=1000, height=800, document=None, **context):
    """Feed a tool with events; return (previews, result)."""
    known = Context(document or Document(), width, height, **context)
    gesture = tool_named(tool).begin(events[0], known)
    previews, following = [], list(events[1:])
    try:
        previews.append(next(gesture))
        for event in following:
            previews.append(gesture.send(event))
    except StopIteration as end:
        return previews, end.value
    gesture.close()
    return previews, None


def press(x, y, **more):
    return Pointer("press", x, y, **more)


def drag(x, y, **more):
    return Pointer("drag", x, y, **more)


def release(x, y, **more):
    return Pointer("release", x, y, **more)


def along(*path, **more):
    """Return the events of a press, drags and a release."""
    return [
        press(*path[0], **more),
        *(drag(*point, **more) for point in path[1:]),
        release(*path[-1], **more),
    ]


def changed(edit):
    """Return the annotation that an edit leaves."""
    (change,) = edit.changes
    return change.after

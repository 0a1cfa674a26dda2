"""Words of messages: how many of what, and lists in which a file's own words stay plain."""

import re
from collections.abc import Sequence

MOST = 200


def counted(n: int, noun: str) -> str:
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def listed(title: str, sentences: Sequence[str]) -> str:
    """Return a list under a title as Markdown, "" where it is empty; what is too long ends in a count."""
    if not sentences:
        return ""
    lines = [f"- {plain(each)}" for each in sentences[:MOST]]
    lines += [f"- And {len(sentences) - MOST:,} more."] if len(sentences) > MOST else []
    return "\n".join((f"**{title}**", "", *lines, "", ""))


def plain(text: str) -> str:
    """Return a text such that Markdown shows it as it stands."""
    return re.sub(r"([\\`*_{}\[\]()#+.!<>|~&-])", r"\\\1", " ".join(text.split()))

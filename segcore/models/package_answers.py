"""What a person has said about a network of another program.

A package may not say how large its pixels are or what its channels mean, and TorchScript is a program. The
answers are kept by the sha256 of the weights: they hold for exactly these, wherever the package lies, and no
package can bring its own along.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from segcore.annotations.atomic import write_bytes
from segcore.config import user_data
from segcore.errors import ModelError

FILE = "packages.json"


class Answers(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What stays None or empty was not asked: the package says it."""

    trusted: bool = False
    """Its program may be run (in a process of its own)."""
    mpp: Annotated[float, Meta(gt=0, le=100)] | None = None
    classes: tuple[str, ...] = ()
    """In channel order; a name that the taxonomy does not know leaves its pixels unlabelled."""

    def over(self, older: "Answers") -> "Answers":
        """Return these answers, and the older ones where these are silent."""
        return Answers(
            self.trusted or older.trusted, self.mpp or older.mpp, self.classes or older.classes
        )


def read_answers(sha256: str) -> Answers:
    """Return what has been said about the weights; nothing at first. Raises ModelError."""
    return _read_all().get(sha256, Answers())


def keep_answers(sha256: str, answers: Answers) -> None:
    """Remember `answers` about the weights, over older ones. Raises ModelError, ExportError."""
    everything = _read_all()
    everything[sha256] = answers.over(everything.get(sha256, Answers()))
    write_bytes(user_data() / FILE, msgspec.json.format(msgspec.json.encode(everything), indent=1))


def _read_all() -> dict[str, Answers]:
    file = user_data() / FILE
    try:
        return msgspec.json.decode(file.read_bytes(), type=dict[str, Answers])
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ModelError(
            f"{file} cannot be read; delete it, and packages will be asked about again."
        ) from error

from dataclasses import dataclass

MASK_TILE = 256
"""Side of a mask tile in mask pixels."""


@dataclass(frozen=True, slots=True)
class MaskGrid:
    """Where mask pixels lie: `scale` level-0 pixels each, `mpp` micrometres, from level-0 (0, 0) on."""

    scale: float
    mpp: float

    def fits(self, scale: float) -> bool:
        """Whether pixels of `scale` level-0 pixels lie on this grid."""
        return abs(self.scale - scale) <= 1e-9 * self.scale

"""What part of the slide is on the screen. No Qt."""

import math
from dataclasses import dataclass, replace

MAX_MAGNIFICATION = 32.0  # screen pixels per level-0 pixel
MPP_AT_1X = 10.0  # a 40x objective gives about 0.25 µm per pixel, a 20x 0.5
MIN_SIZE = 100.0  # screen pixels: the whole slide never gets smaller


@dataclass(frozen=True, slots=True)
class Viewport:
    """A rectangle of the screen (width x height, logical pixels) and what it shows.

    (x, y) is the level-0 point at its centre; `scale` is level-0 pixels per screen pixel. The slide is
    first mirrored left to right (where `mirrored`), then turned clockwise by `turn` degrees about (x, y).
    """

    x: float = 0.0
    y: float = 0.0
    scale: float = 1.0
    width: float = 100.0
    height: float = 100.0
    turn: float = 0.0
    mirrored: bool = False

    @property
    def is_upright(self) -> bool:
        return self.turn == 0 and not self.mirrored

    @property
    def is_finite(self) -> bool:
        return all(math.isfinite(each) for each in (self.x, self.y, self.scale, self.turn))

    @property
    def upright(self) -> "Viewport":
        """Return the smallest view, neither turned nor mirrored, that shows all that this one shows."""
        across, down = self._extent(self.width, self.height)
        return replace(self, width=across, height=down, turn=0.0, mirrored=False)

    @property
    def visible(self) -> tuple[float, float, float, float]:
        """Return (left, top, right, bottom) in level-0 pixels; of a turned view, what surrounds it."""
        across, down = self._extent(self.width, self.height)
        half, rise = across * self.scale / 2, down * self.scale / 2
        return self.x - half, self.y - rise, self.x + half, self.y + rise

    @property
    def corners(self) -> list[tuple[float, float]]:
        """Return the level-0 points at the corners of the screen, from upper left clockwise."""
        places = ((0.0, 0.0), (self.width, 0.0), (self.width, self.height), (0.0, self.height))
        return [self.to_slide(*place) for place in places]

    def to_slide(self, screen_x: float, screen_y: float) -> tuple[float, float]:
        dx, dy = self._unturned(screen_x - self.width / 2, screen_y - self.height / 2)
        return self.x + dx * self.scale, self.y + dy * self.scale

    def to_screen(self, x: float, y: float) -> tuple[float, float]:
        dx, dy = (x - self.x) / self.scale, (y - self.y) / self.scale
        if not self.is_upright:
            cos, sin = self._angle
            dx = -dx if self.mirrored else dx
            dx, dy = dx * cos - dy * sin, dx * sin + dy * cos
        return dx + self.width / 2, dy + self.height / 2

    def resized(self, width: float, height: float) -> "Viewport":
        return replace(self, width=max(width, 1.0), height=max(height, 1.0))

    def panned(self, screen_dx: float, screen_dy: float) -> "Viewport":
        """Return the view after the slide was dragged by (dx, dy) screen pixels."""
        dx, dy = self._unturned(screen_dx, screen_dy)
        return replace(self, x=self.x - dx * self.scale, y=self.y - dy * self.scale)

    def zoomed(self, factor: float, screen_x: float, screen_y: float) -> "Viewport":
        """Return the view magnified by `factor`, with the slide point under the cursor kept there."""
        x, y = self.to_slide(screen_x, screen_y)
        # The centre moves along the line to the point, by as much as the point comes nearer.
        return replace(
            self,
            x=x - (x - self.x) / factor,
            y=y - (y - self.y) / factor,
            scale=self.scale / factor,
        )

    def turned(self, degrees: float) -> "Viewport":
        """Return the view with the slide turned clockwise by `degrees` more."""
        return replace(self, turn=(self.turn + degrees) % 360)

    def flipped(self) -> "Viewport":
        """Return the view as a mirror would show it, left and right of the screen exchanged."""
        return replace(self, mirrored=not self.mirrored, turn=-self.turn % 360)

    def fitted(
        self, left: float, top: float, right: float, bottom: float, margin: float = 0.04
    ) -> "Viewport":
        """Return the view that shows the rectangle whole, with a margin."""
        room = 1 - 2 * margin
        across, down = self._extent(right - left, bottom - top)
        scale = max(across / self.width, down / self.height) / room
        return replace(self, x=(left + right) / 2, y=(top + bottom) / 2, scale=max(scale, 1e-6))

    def clamped(self, slide_width: float, slide_height: float) -> "Viewport":
        """Return the nearest sensible view: the centre on the slide, neither too near nor too far."""
        far = max(max(slide_width, slide_height) / MIN_SIZE, 1.0)
        scale = min(max(self.scale, 1 / MAX_MAGNIFICATION), far)
        x = min(max(self.x, 0.0), slide_width)
        y = min(max(self.y, 0.0), slide_height)
        return replace(self, x=x, y=y, scale=scale)

    @property
    def _angle(self) -> tuple[float, float]:
        """Return the cosine and the sine of the turn, exact for quarter turns."""
        quarters = {0.0: (1.0, 0.0), 90.0: (0.0, 1.0), 180.0: (-1.0, 0.0), 270.0: (0.0, -1.0)}
        radians = math.radians(self.turn)
        return quarters.get(self.turn, (math.cos(radians), math.sin(radians)))

    def _unturned(self, dx: float, dy: float) -> tuple[float, float]:
        """Return the slide's direction of a direction on the screen, as long as that."""
        if self.is_upright:
            return dx, dy
        cos, sin = self._angle
        dx, dy = dx * cos + dy * sin, dy * cos - dx * sin
        return -dx if self.mirrored else dx, dy

    def _extent(self, width: float, height: float) -> tuple[float, float]:
        """Return width and height of what surrounds a turned rectangle."""
        cos, sin = (abs(part) for part in self._angle)
        return width * cos + height * sin, width * sin + height * cos

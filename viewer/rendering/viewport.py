"""What part of the slide is on the screen. No Qt."""

from dataclasses import dataclass, replace

MAX_MAGNIFICATION = 32.0  # screen pixels per level-0 pixel
MIN_SIZE = 100.0  # screen pixels: the whole slide never gets smaller


@dataclass(frozen=True, slots=True)
class Viewport:
    """A rectangle of the screen (width x height, logical pixels) and what it shows.

    (x, y) is the level-0 point at its centre; `scale` is level-0 pixels per screen pixel.
    """

    x: float = 0.0
    y: float = 0.0
    scale: float = 1.0
    width: float = 100.0
    height: float = 100.0

    @property
    def left(self) -> float:
        return self.x - self.width * self.scale / 2

    @property
    def top(self) -> float:
        return self.y - self.height * self.scale / 2

    @property
    def visible(self) -> tuple[float, float, float, float]:
        """Return (left, top, right, bottom) in level-0 pixels."""
        right, bottom = self.left + self.width * self.scale, self.top + self.height * self.scale
        return self.left, self.top, right, bottom

    def to_slide(self, screen_x: float, screen_y: float) -> tuple[float, float]:
        return self.left + screen_x * self.scale, self.top + screen_y * self.scale

    def to_screen(self, x: float, y: float) -> tuple[float, float]:
        return (x - self.left) / self.scale, (y - self.top) / self.scale

    def resized(self, width: float, height: float) -> "Viewport":
        return replace(self, width=max(width, 1.0), height=max(height, 1.0))

    def panned(self, screen_dx: float, screen_dy: float) -> "Viewport":
        """Return the view after the slide was dragged by (dx, dy) screen pixels."""
        return replace(self, x=self.x - screen_dx * self.scale, y=self.y - screen_dy * self.scale)

    def zoomed(self, factor: float, screen_x: float, screen_y: float) -> "Viewport":
        """Return the view magnified by `factor`, with the slide point under the cursor kept there."""
        x, y = self.to_slide(screen_x, screen_y)
        scale = self.scale / factor
        return replace(
            self,
            x=x - (screen_x - self.width / 2) * scale,
            y=y - (screen_y - self.height / 2) * scale,
            scale=scale,
        )

    def fitted(
        self, left: float, top: float, right: float, bottom: float, margin: float = 0.04
    ) -> "Viewport":
        """Return the view that shows the rectangle whole, with a margin."""
        room = 1 - 2 * margin
        scale = max((right - left) / self.width, (bottom - top) / self.height) / room
        return replace(self, x=(left + right) / 2, y=(top + bottom) / 2, scale=max(scale, 1e-6))

    def clamped(self, slide_width: float, slide_height: float) -> "Viewport":
        """Return the nearest sensible view: the centre on the slide, neither too near nor too far."""
        far = max(max(slide_width, slide_height) / MIN_SIZE, 1.0)
        scale = min(max(self.scale, 1 / MAX_MAGNIFICATION), far)
        x = min(max(self.x, 0.0), slide_width)
        y = min(max(self.y, 0.0), slide_height)
        return replace(self, x=x, y=y, scale=scale)

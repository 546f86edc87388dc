"""Where pictures are drawn: a figure with a font that has Japanese letters, and its PNG."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DPI = 80


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of so many inches, which belongs to its caller alone: threads can draw side by side."""
    import matplotlib_fontja  # noqa: F401 - makes its font the one that matplotlib writes with
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def to_png(figure: Figure) -> bytes:
    """Return a figure as PNG."""
    body = io.BytesIO()
    figure.savefig(body, dpi=DPI, format="png")
    return body.getvalue()

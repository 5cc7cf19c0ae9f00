"""The style of pictures. The same data give the same bytes."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cascade.runtime.files import replacing_path

COLOURS = ("#b45309", "#1d4ed8", "#047857", "#7c3aed", "#be123c", "#475569", "#0e7490", "#a16207")
STYLE: dict[Any, Any] = {
    "svg.hashsalt": "cascade",  # else ids are random
    "font.family": "DejaVu Sans",  # part of Matplotlib
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#666666",
    "axes.labelcolor": "#333333",
    "text.color": "#222222",
    "xtick.color": "#444444",
    "ytick.color": "#444444",
    "axes.grid": True,
    "grid.color": "#e2e2e2",
}


@contextmanager
def picture(path: Path, title: str, width: float, height: float) -> Iterator[Any]:
    """Yield a Matplotlib figure, ``width`` by ``height`` inches; write it as SVG at the end."""
    import matplotlib  # takes half a second
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    with matplotlib.rc_context(STYLE):
        figure = Figure(
            figsize=(width, height), layout=ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.08)
        )
        yield figure
        with replacing_path(path) as beside:
            figure.savefig(beside, format="svg", metadata={"Date": None, "Title": title})

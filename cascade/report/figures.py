"""How pictures look, and how they are written: the same bytes every time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cascade.runtime.files import replacing_path

COLOURS = ("#b45309", "#1d4ed8", "#047857", "#7c3aed", "#be123c", "#475569", "#0e7490", "#a16207")
STYLE = {
    "svg.hashsalt": "cascade",  # the same ids, and so the same bytes, every time
    "font.family": "DejaVu Sans",  # Matplotlib brings it
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
    """Gives a Matplotlib figure of so many inches; writes it as SVG when the context ends."""
    import matplotlib  # half a second
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        figure.get_layout_engine().set(w_pad=0.1, h_pad=0.08)
        yield figure
        with replacing_path(path) as beside:
            figure.savefig(beside, format="svg", metadata={"Date": None, "Title": title})

"""The packages of ``cascade/``: a picture of their floors, and a table of what each holds.

Both are generated from the docstrings of the packages, which `tests/test_architecture.py` checks.
"""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STYLE = (
    "path {fill: none; stroke: #999; stroke-width: 1.2} rect {fill: #f2f4fb; stroke: #4051b5}"
    " text {font: 14px monospace; text-anchor: middle}"
)
WIDTH, STEP, BOX = 690, 62, (104, 32)  # of the picture, a floor and a package


def table() -> str:
    """What each package holds, and which others it may import."""
    packages = {name: description(name) for name in package_names()}
    rows = [
        f"| `{name}` | {holds} | {', '.join(may) or 'none'} |"
        for name, (holds, may) in sorted(packages.items(), key=lambda item: len(_below(item[0])))
    ]
    head = ["| package | what it holds | may import |", "| --- | --- | --- |"]
    return "\n".join([*head, *rows])


def package_names() -> list[str]:
    return sorted(path.parent.name for path in ROOT.glob("cascade/*/__init__.py"))


def description(package: str) -> tuple[str, list[str]]:
    """What a package holds, and which others it may import, from its docstring."""
    tree = ast.parse((ROOT / "cascade" / package / "__init__.py").read_text(encoding="utf-8"))
    text = " ".join((ast.get_docstring(tree) or "").split())
    holds, _, may = text.partition(" It may import: ")
    names = may.rstrip(".").split(", ") if may else []
    return holds.removesuffix(" It imports no other package."), names


def _below(package: str) -> set[str]:
    """All packages that one stands on."""
    direct = description(package)[1]
    return set(direct).union(*map(_below, direct))


def rows() -> list[list[str]]:
    """The packages by floor, the highest first: each is one below the lowest that imports it.

    In a row they are in the order of those above, so that few lines cross.
    """
    above = {
        name: [other for other in package_names() if name in description(other)[1]]
        for name in package_names()
    }
    depth: dict[str, int] = {}

    def floor(package: str) -> int:
        if package not in depth:
            depth[package] = 1 + max(map(floor, above[package]), default=-1)
        return depth[package]

    floors: list[list[str]] = [[] for _ in range(1 + max(map(floor, package_names())))]
    at: dict[str, float] = {}
    for name in sorted(package_names(), key=lambda name: (depth[name], name)):
        floors[depth[name]].append(name)
    for row in floors:
        row.sort(key=lambda name: sum(at[o] for o in above[name]) / max(1, len(above[name])))
        at |= {name: (i + 0.5) / len(row) for i, name in enumerate(row)}
    return floors


def picture() -> str:
    """The floors as SVG; a line goes to each package that no other line leads to already."""
    floors = rows()
    place = {
        name: (WIDTH * (i + 0.5) / len(row), STEP * (level + 0.5))
        for level, row in enumerate(floors)
        for i, name in enumerate(row)
    }
    lines, boxes = [], []
    for name, (x, y) in place.items():
        direct = description(name)[1]
        for other in direct:
            if not any(other in _below(d) for d in direct):
                lines.append(_line(place[name], place[other]))
        boxes.append(
            f'<rect x="{x - BOX[0] / 2:g}" y="{y - BOX[1] / 2:g}" width="{BOX[0]}"'
            f' height="{BOX[1]}" rx="6"/><text x="{x:g}" y="{y + 5:g}">{name}</text>'
        )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {STEP * len(floors)}"'
        f' width="{WIDTH}">\n<title>The packages by floor</title>\n<style>{STYLE}</style>\n'
        f'<path d="{"".join(lines)}"/>\n{chr(10).join(boxes)}\n</svg>\n'
    )


def _line(high: tuple[float, float], low: tuple[float, float]) -> str:
    """A line from one box down to another; past the floors between them it is straight."""
    (x, y), (to_x, to_y) = high, low
    lane = (x + to_x) / 2 if abs(x - to_x) > BOX[0] else x
    top, bottom, gap = y + BOX[1] / 2, to_y - BOX[1] / 2, STEP - BOX[1]
    line, at = f"M{x:g} {top:g}", (x, top)
    if bottom - top > gap:
        for point in ((lane, top + gap), (lane, bottom - gap)):
            line, at = line + _curve(at, point), point
    return line + _curve(at, (to_x, bottom))


def _curve(start: tuple[float, float], end: tuple[float, float]) -> str:
    middle = (start[1] + end[1]) / 2
    return f"C{start[0]:g} {middle:g} {end[0]:g} {middle:g} {end[0]:g} {end[1]:g}"

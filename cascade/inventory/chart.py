"""The picture of `cascade.inventory.sharing`: languages as rows, phones as columns.

Columns are in the order of the chart of the International Phonetic Association: by manner,
then by place from the lips back. A cell of a phone that a language lacks shows the nearest
phone that it has.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from cascade.inventory.sharing import PhoneOverlap
from cascade.report.figures import picture
from cascade.text.phones import AFFRICATES

# Manner of articulation, and its letters from the lips to the glottis; vowels front to back.
GROUPS = {
    "plosives": "pbtdʈɖcɟkɡqɢʔ",
    "affricates": "",  # `AFFRICATES`
    "fricatives": "ɸβfvθðszʃʒɕʑʂʐçʝxɣχʁħʕhɦɧ",
    "nasals": "mɱnɳɲŋɴ",
    "trills, taps": "ʙrɾɽʀ",
    "approximants": "ʋɹɻjɥɰwʍ",
    "laterals": "lɫɭʎʟɬɮ",
    "close vowels": "iyɪʏɨʉᵻɯuʊ",
    "mid vowels": "eøɛœɘɵəɚɜɝɞɤoʌɔ",
    "open vowels": "æaɶɐɑɒ",
    "others": "",
}
LETTERS = {letter: group for group, letters in GROUPS.items() for letter in letters}
PLACES = [*LETTERS]
# In points, as are the sizes of text. A band of cells has the names of its groups above it.
CELL, HEADING, LINE, LABEL, MARGIN, GAP, WIDTH, BAR = 42, 34, 24, 76, 24, 18, 1002, 300
BLUE, PALE_BLUE, PALE_GREY, ORANGE = "#93c5fd", "#dbeafe", "#f3f4f6", "#fed7aa"
INK, GREY, FAINT = "#111111", "#555555", "#bbbbbb"
STYLES: dict[str, dict[str, Any]] = {
    "shared": {"facecolor": BLUE, "linewidth": 0},
    "own": {"facecolor": ORANGE, "linewidth": 0},
    "missing": {"facecolor": "none", "edgecolor": FAINT, "linestyle": (0, (3, 3))},
}


def draw(path: Path, overlaps: Sequence[PhoneOverlap], limit: float) -> None:
    """Write an SVG of a target language beside others: the same bytes for the same figures.

    ``limit`` is how many features away a neighbour may be.
    """
    target = overlaps[0].target
    languages = [target.language, *(o.other.language for o in overlaps)]
    groups = list(_groups(target.phones.union(*(o.other.phones for o in overlaps))))
    bands = groups[-1][0] + 1
    band_height = HEADING + CELL * len(languages)
    top = 114 + LINE * len(overlaps)  # of the first band's cells
    width, height = LABEL + WIDTH + 2 * MARGIN, top + band_height * bands - 10
    title = f"Phones of {target.language} beside those of {', '.join(languages[1:])}"
    with picture(path, title, width / 72, height / 72) as figure:
        figure.set_layout_engine("none")
        axes = figure.add_axes((0, 0, 1, 1), xlim=(-MARGIN, width - MARGIN), ylim=(height, 0))
        axes.axis("off")
        _text(axes, 0, 30, title, 19)
        for row, overlap in enumerate(overlaps):
            _draw_coverage(axes, 63 + LINE * row, overlap, limit)
        cells: dict[str, list[tuple[float, float]]] = {kind: [] for kind in STYLES}
        for y in range(top, top + band_height * bands, band_height):
            for row, language in enumerate(languages):
                _text(axes, 0, y + CELL * (row + 0.5), language, 15)
        for band, left, name, phones in groups:
            y = top + band_height * band
            _text(axes, LABEL + left, y - 12, name, 12, GREY)
            for column, phone in enumerate(phones):
                x = LABEL + left + CELL * (column + 0.5)
                for row, (kind, label, figures) in enumerate(_column(phone, overlaps, limit)):
                    if kind:
                        cells[kind].append((x, y + CELL * (row + 0.5)))
                    size, ink = (15, GREY) if kind == "missing" else (18, INK)
                    _text(axes, x, y + CELL * row + 16, label, size, ink, ha="center")
                    _text(axes, x, y + CELL * row + 32, figures, 10, GREY, ha="center")
        _draw_cells(axes, 68 + LINE * len(overlaps), cells, limit)


def _groups(phones: Iterable[str]) -> Iterator[tuple[int, float, str, list[str]]]:
    """Yield groups of phones: the band, the left edge in it, the name, the phones.

    A group that does not fit goes into the next band; one longer than a band is divided.
    """
    band, left = 0, 0
    for name, group in groupby(sorted(phones, key=order), key=lambda phone: order(phone)[0]):
        members = list(group)
        while members:
            room = (WIDTH - left) // CELL
            if room < len(members) and left and (room < 3 or len(members) <= WIDTH // CELL):
                band, left, room = band + 1, 0, WIDTH // CELL
            yield band, left, [*GROUPS][name], members[:room]
            left += CELL * len(members[:room]) + GAP
            members = members[room:]


def order(phone: str) -> tuple[int, int, str]:
    """Return the place of a phone in the chart: its group, its letter's place, itself.

    The letter is an affricate's fricative, or the vowel of a nasal one.
    """
    affricate = phone[:2] in AFFRICATES
    letter = phone[1] if affricate else phone[0]
    letter = letter if letter in LETTERS else unicodedata.normalize("NFD", letter)[0]
    group = "affricates" if affricate else LETTERS.get(letter, "others")
    return [*GROUPS].index(group), PLACES.index(letter) if letter in LETTERS else -1, phone


def _column(
    phone: str, overlaps: Sequence[PhoneOverlap], limit: float
) -> Iterator[tuple[str, str, str]]:
    """Yield kind, text and figure of a phone's cells: the target's, then each language's.

    The kind is "" where there is nothing to compare: the target and the language both lack
    the phone, or it has no features.
    """
    target = overlaps[0].target
    having = [o for o in overlaps if phone in o.other.phones]
    nearest = [o.nearest_in_target[phone] for o in having if phone in o.nearest_in_target]
    rows = [(target, bool(having), nearest[0] if nearest else None)]
    rows += [(o.other, phone in target.phones, o.nearest_in_other.get(phone)) for o in overlaps]
    for inventory, shared, near in rows:
        if phone in inventory.phones:
            share = 100 * inventory.counts[phone] / inventory.total
            kind = "shared" if shared else "own"
            yield kind, phone, f"{share:.1f}" if share >= 0.05 else "<0.1"
        elif near and near.distance <= limit:
            yield "missing", f"≈{near.phone}", f"{near.distance:g}"
        else:
            yield ("missing", "–", "") if near else ("", "", "")


def _draw_coverage(axes: Any, y: float, overlap: PhoneOverlap, limit: float) -> None:
    """Draw how much of the target's running speech a language covers: a bar and a sentence."""
    _text(axes, 0, y, overlap.other.language, 14)
    exact, near = overlap.covered(), overlap.covered(limit)
    for share, colour in ((100, PALE_GREY), (near, PALE_BLUE), (exact, BLUE)):
        axes.barh(y, BAR * share / 100, 14, LABEL, color=colour)
    text = (
        f"{len(overlap.shared)} of its {len(overlap.other.phones)} phones are in"
        f" {overlap.target.language}: {exact:.1f} % of the running speech, {near:.1f} % with"
        " neighbours"
    )
    _text(axes, LABEL + BAR + 12, y, text, 13, GREY)


def _draw_cells(
    axes: Any, y: float, cells: dict[str, list[tuple[float, float]]], limit: float
) -> None:
    """Draw the squares of all cells by kind, and the legend of the kinds at ``y``."""
    from matplotlib.patches import BoxStyle  # half a second, see `picture`

    feature = "feature" if limit == 1 else "features"
    missing = (
        f"missing; ≈ the nearest phone, at most {limit:g} {feature} away."
        "  Below: per cent of the running phones, or features away"
    )
    square = BoxStyle.Round(pad=0, rounding_size=0.12)(-0.5, -0.5, 1, 1, 1)
    for kind, style in STYLES.items():
        x, heights = [x for x, _ in cells[kind]], [y for _, y in cells[kind]]
        label = missing if kind == "missing" else kind
        axes.scatter(x, heights, (CELL - 2) ** 2, marker=square, label=label, **style)
    place = {"loc": "center left", "bbox_to_anchor": (-10, y), "bbox_transform": axes.transData}
    look = {"frameon": False, "fontsize": 12, "labelcolor": GREY, "markerscale": 0.35}
    axes.legend(ncols=3, borderpad=0, handletextpad=0.2, columnspacing=1.2, **place, **look)


def _text(
    axes: Any, x: float, y: float, text: str, size: float, ink: str = INK, ha: str = "left"
) -> None:
    """Write text as it is, never as a formula: black at the left edge is bold."""
    weight = "bold" if ha == "left" and ink == INK else "normal"
    place = {"ha": ha, "va": "center_baseline"}
    axes.text(x, y, text, fontsize=size, color=ink, weight=weight, parse_math=False, **place)

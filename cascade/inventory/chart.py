"""The picture of `cascade.inventory.sharing`: languages as rows, phones as columns, as SVG.

Columns stand as in the chart of the International Phonetic Association, by manner, then
by place from the lips back; what a language lacks shows the neighbour that comes nearest.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from html import escape

from cascade.inventory.distance import Neighbour
from cascade.inventory.phone_counts import Inventory
from cascade.inventory.sharing import Comparison
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
ORDER = "".join(GROUPS.values())
CELL, LINE, LABEL, MARGIN, GAP = 42, 42, 76, 24, 18  # pixels
COLUMNS = 25  # cells in a band of the picture
BLUE, PALE_BLUE, ORANGE = "#93c5fd", "#dbeafe", "#fed7aa"
INK, GREY, FAINT = "#111", "#555", "#bbb"


def chart(comparisons: Sequence[Comparison], limit: float) -> str:
    """The picture as the text of an SVG file: the same for the same figures, byte by byte."""
    target = comparisons[0].target
    phones = target.phones.union(*(c.other.phones for c in comparisons))
    bands = list(_bands(phones))
    top = 96 + 24 * len(comparisons)
    high = 34 + LINE * (len(comparisons) + 1)
    width = 2 * MARGIN + LABEL + max(_extent(band) for band in bands)
    width = max(width, 860)
    names = ", ".join(c.other.language for c in comparisons)
    title = f"Phones of {target.language} beside those of {names}"
    body = [
        f'<title>{escape(title)}</title>\n<rect width="{width}" height="{top + high * len(bands)}"'
        f' fill="#fff"/>',
        _text(MARGIN, 36, title, size=19, anchor="start", weight=600),
        *_coverage(comparisons, limit),
        *_legend(MARGIN, 76 + 24 * len(comparisons), limit),
    ]
    for number, band in enumerate(bands):
        body += _band(band, comparisons, limit, top + number * high)
    size = f'viewBox="0 0 {width} {top + high * len(bands)}"'
    font = "font-family=\"'Noto Sans','DejaVu Sans',sans-serif\""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {font}>\n' + "\n".join(body) + "\n</svg>\n"
    )


def _bands(phones: set[str]) -> Iterator[list[tuple[str, list[str]]]]:
    """Groups of phones, in lines of at most `COLUMNS`."""
    band: list[tuple[str, list[str]]] = []
    room = COLUMNS
    for name in GROUPS:
        members = sorted((p for p in phones if _group(p) == name), key=_place)
        while members:
            if room < min(len(members), 3) or (len(members) > room and len(members) <= COLUMNS):
                yield band
                band, room = [], COLUMNS
            band.append((name, members[:room]))
            members, room = members[room:], room - len(members[:room])
    if band:
        yield band


def _group(phone: str) -> str:
    if phone[:2] in AFFRICATES:
        return "affricates"
    letter = _letter(phone)
    return next((name for name, letters in GROUPS.items() if letter in letters), "others")


def _place(phone: str) -> tuple[int, str]:
    """Where a phone stands within its group."""
    return ORDER.find(_letter(phone)), phone


def _letter(phone: str) -> str:
    """The letter that places a phone: an affricate's fricative, the vowel of a nasal one."""
    letter = phone[1] if phone[:2] in AFFRICATES else phone[0]
    return letter if letter in ORDER else unicodedata.normalize("NFD", letter)[0]


def _extent(band: Sequence[tuple[str, Sequence[str]]]) -> int:
    return sum(CELL * len(members) for _, members in band) + GAP * (len(band) - 1)


def _coverage(comparisons: Sequence[Comparison], limit: float) -> Iterator[str]:
    """A bar for each language: how much of the target's running speech it covers."""
    left, wide = MARGIN + LABEL, 300
    for i, c in enumerate(comparisons):
        y = 56 + 24 * i
        exact, near = c.covered(), c.covered(limit)
        yield _text(MARGIN, y + 12, c.other.language, anchor="start", weight=600)
        yield _box(left, y, wide, 14, "#f3f4f6")
        yield _box(left, y, wide * near / 100, 14, PALE_BLUE)
        yield _box(left, y, wide * exact / 100, 14, BLUE)
        said = (
            f"{len(c.shared)} of its {len(c.other.phones)} phones are {c.target.language}'s:"
            f" {exact:.1f} % of the running speech, {near:.1f} % with neighbours"
        )
        yield _text(left + wide + 12, y + 12, said, size=13, anchor="start", fill=GREY)


def _legend(x: int, y: int, limit: float) -> Iterator[str]:
    yield _box(x, y - 11, 14, 14, BLUE)
    yield _text(x + 20, y, "shared", size=12, anchor="start", fill=GREY)
    yield _box(x + 76, y - 11, 14, 14, ORANGE)
    yield _text(x + 96, y, "own", size=12, anchor="start", fill=GREY)
    yield _dashed(x + 136, y - 11, 14, 14)
    feature = "feature" if limit == 1 else "features"
    said = (
        f"lacks it; ≈ its nearest phone, at most {limit:g} {feature} away."
        "  Below: per cent of the running phones, or features away"
    )
    yield _text(x + 156, y, said, size=12, anchor="start", fill=GREY)


def _band(
    band: Sequence[tuple[str, Sequence[str]]],
    comparisons: Sequence[Comparison],
    limit: float,
    top: int,
) -> Iterator[str]:
    target = comparisons[0].target
    first = top + 26
    for row, name in enumerate([target.language, *(c.other.language for c in comparisons)]):
        yield _text(MARGIN, first + LINE * row + 25, name, size=15, anchor="start", weight=600)
    x = MARGIN + LABEL
    for group, members in band:
        yield _text(x, top + 18, group, size=12, anchor="start", fill=GREY)
        for phone in members:
            having = [c for c in comparisons if phone in c.other.phones]
            back = next((c.back[phone] for c in having if phone in c.back), None)
            yield from _cell(x, first, phone, target, bool(having), back, limit)
            for row, c in enumerate(comparisons, 1):
                near, shared = c.near.get(phone), phone in target.phones
                yield from _cell(x, first + LINE * row, phone, c.other, shared, near, limit)
            x += CELL
        x += GAP


def _cell(
    x: int,
    y: int,
    phone: str,
    inventory: Inventory,
    shared: bool,
    near: Neighbour | None,
    limit: float,
) -> Iterator[str]:
    """A language's cell: its phone, else the neighbour that stands for it, else nothing."""
    middle = x + CELL / 2
    if phone in inventory.phones:
        yield _box(x + 1, y + 1, CELL - 2, LINE - 2, BLUE if shared else ORANGE, 4)
        yield _text(middle, y + 22, phone, size=18)
        share = 100 * inventory.counts[phone] / inventory.total
        yield _text(middle, y + 36, f"{share:.1f}" if share >= 0.05 else "<0.1", size=10, fill=GREY)
    elif near:
        yield _dashed(x + 1, y + 1, CELL - 2, LINE - 2, 4)
        if near.distance <= limit:
            yield _text(middle, y + 22, f"≈{near.phone}", size=15, fill=GREY)
            yield _text(middle, y + 36, f"{near.distance:g}", size=10, fill=GREY)
        else:
            yield _text(middle, y + 25, "–", size=14, fill=FAINT)


def _box(x: float, y: float, wide: float, high: float, fill: str, round_: int = 2) -> str:
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{wide:.1f}" height="{high:g}" rx="{round_}"'
        f' fill="{fill}"/>'
    )


def _dashed(x: float, y: float, wide: float, high: float, round_: int = 2) -> str:
    return (
        f'<rect x="{x + 0.5:g}" y="{y + 0.5:g}" width="{wide - 1:g}" height="{high - 1:g}"'
        f' rx="{round_}" fill="none" stroke="{FAINT}" stroke-dasharray="3 3"/>'
    )


def _text(
    x: float, y: float, said: str, size=14, anchor="middle", fill=INK, weight: int | None = None
) -> str:
    bold = f' font-weight="{weight}"' if weight else ""
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{size}" text-anchor="{anchor}" fill="{fill}"{bold}>'
        f"{escape(said)}</text>"
    )

"""Tables and paragraphs of Markdown."""

import textwrap
from collections.abc import Sequence

from tabulate import tabulate

WIDTH = 100  # characters of a line of a paragraph


def markdown_table(rows: Sequence[Sequence[str]]) -> str:
    r"""Return rows, the header first, as a Markdown table that also reads well on a screen.

    >>> print(markdown_table([("system", "Wer/Werc"), ("plain", "73.40/70.78"), ("a|b", "n/a")]))
    | system   | Wer/Werc    |
    |----------|-------------|
    | plain    | 73.40/70.78 |
    | a\|b     | n/a         |
    """
    header, *body = [[cell.replace("|", r"\|") for cell in row] for row in rows]
    return tabulate(body, header, tablefmt="github", disable_numparse=True)


def paragraph(text: str, indent: str = "") -> str:
    """Return text in lines of at most `WIDTH` characters; ``indent`` is before all but the first.

    >>> paragraph(f"- {'words ' * 18}", indent="  ").splitlines()[1]
    '  words words'
    """
    return textwrap.fill(
        text, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def joined(items: Sequence[str]) -> str:
    """Return items as a list in words.

    >>> joined(["a"]), joined(["a", "b"]), joined(["a", "b", "c"])
    ('a', 'a and b', 'a, b and c')
    """
    *first, last = items or [""]
    return f"{', '.join(first)} and {last}" if first else last

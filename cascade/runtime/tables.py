"""Tables as text."""

from collections.abc import Sequence

from tabulate import tabulate


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

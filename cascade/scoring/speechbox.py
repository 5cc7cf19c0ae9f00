"""The SpeechBox log: six counts and the memory of a test, and the rates they give.

The lines of a log::

    [2020-06-27 01:32:16] SpeechBox: INFO: ERRORS<TAB>239410
    [2020-06-27 01:32:16] SpeechBox: INFO: Memory using: 2728 MB; 2.66406 GB
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cascade.runtime.errors import UserError

KEYS = {  # as the log names them, in its order: the field of Counts
    "ERRORS": "errors",
    "TERRORS": "terrors",
    "ALL WORDS": "all_words",
    "PH_ERRORS": "ph_errors",
    "PH_TERRORS": "ph_terrors",
    "ALL PHONES": "all_phones",
}
_LINE = re.compile(rf"(?:.*:)?\s*(?P<key>{'|'.join(KEYS)})(?:(?P<gap>\s+)(?P<value>.*))?")
_MEMORY = re.compile(r"(?:.*:)?\s*Memory using:\s*(?P<value>\S*)\s*MB\b.*")


@dataclass(frozen=True)
class Counts:
    """The counts of a test; None for one that a log does not have.

    Attributes:
        errors: Substitutions, deletions and insertions of words.
        terrors: Substitutions and deletions of words.
        all_words: Reference words.
        ph_errors: Substitutions, deletions and insertions of phones.
        ph_terrors: Substitutions and deletions of phones.
        all_phones: Reference phones.
        memory_mb: The peak memory of decoding in MiB.

    >>> counts = Counts(errors=239410, terrors=230645, all_words=325870)
    >>> format_pair(counts.wer, counts.werc), format_pair(counts.per, counts.perc)
    ('73.4679/70.7782', 'n/a')
    """

    errors: int | None = None
    terrors: int | None = None
    all_words: int | None = None
    ph_errors: int | None = None
    ph_terrors: int | None = None
    all_phones: int | None = None
    memory_mb: int | None = None

    @property
    def wer(self) -> float | None:
        """Word error rate in per cent, or None."""
        return _rate(self.errors, self.all_words)

    @property
    def werc(self) -> float | None:
        """Word error rate without insertions in per cent, or None."""
        return _rate(self.terrors, self.all_words)

    @property
    def per(self) -> float | None:
        """Phone error rate in per cent, or None."""
        return _rate(self.ph_errors, self.all_phones)

    @property
    def perc(self) -> float | None:
        """Phone error rate without insertions in per cent, or None."""
        return _rate(self.ph_terrors, self.all_phones)


def format_pair(rate: float | None, without_insertions: float | None) -> str:
    """Return ``73.4679/70.7782``, ``73.4679/n/a``, or ``n/a`` if neither is known."""
    if rate is None and without_insertions is None:
        return "n/a"
    return f"{_format_rate(rate)}/{_format_rate(without_insertions)}"


def format_log(counts: Counts, when: datetime | None = None) -> str:
    """Return the text of a log of the time ``when`` (now). A count that is None has no line."""
    stamp = f"[{when or datetime.now():%Y-%m-%d %H:%M:%S}] SpeechBox: INFO: "
    values = [(key, getattr(counts, field)) for key, field in KEYS.items()]
    lines = [f"{stamp}{key}\t{value}\n" for key, value in values if value is not None]
    if counts.memory_mb is not None:
        gb = f"{counts.memory_mb / 1024:.6g}"
        lines.append(f"{stamp}Memory using: {counts.memory_mb} MB; {gb} GB\n")
    return "".join(lines)


def read_log(path: Path) -> Counts:
    """Read the counts of a SpeechBox log. Other lines are ignored.

    Raises `UserError` for a file that cannot be read, a count that is not a number, a count that
    appears twice with different numbers, and a file without any count.
    """
    try:
        text = path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise UserError(f"The log {path} cannot be read: {error.strerror}.") from None
    values: dict[str, int] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        key, value = _parse(line.rstrip())
        if key is None:
            continue
        if not re.fullmatch("[0-9]+", value):
            raise UserError(
                f"{path}, line {number}: {key} must be a whole number, not '{value}'. "
                "Correct the line, or score the test again."
            )
        if values.setdefault(key, int(value)) != int(value):
            raise UserError(
                f"{path}, line {number}: {key} is {value} here and {values[key]} before. "
                "A log is of one test: split it, or remove the lines of the other test."
            )
    if not values:
        raise UserError(
            f"{path} is not a SpeechBox log: it has no line such as 'ERRORS<TAB>number'. "
            "Name a speechbox.log as stage 5 writes it."
        )
    memory = values.pop("Memory using", None)
    return Counts(**{KEYS[key]: value for key, value in values.items()}, memory_mb=memory)


def table(logs: Sequence[Path]) -> str:
    """Return the rates of logs as text: a header, and a line a log."""
    rows = [("log", "Wer/Werc", "Per/Perc")]
    for path in logs:
        c = read_log(path)
        rows.append((str(path), format_pair(c.wer, c.werc), format_pair(c.per, c.perc)))
    wide = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    padded = (" | ".join(f"{c:<{w}}" for c, w in zip(r, wide, strict=True)) for r in rows)
    return "".join(f"{line.rstrip()}\n" for line in padded)


def _parse(line: str) -> tuple[str | None, str]:
    """Return the key of a line and its value as written; None as the key of any other line."""
    if match := _MEMORY.fullmatch(line):
        return "Memory using", match["value"]
    match = _LINE.fullmatch(line)
    if match is None:
        return None, ""
    value = match["value"] or ""
    prose = " " in value and "\t" not in match["gap"]  # such as 'ERRORS are counted below'
    return (None, "") if prose else (match["key"], value)


def _rate(count: int | None, total: int | None) -> float | None:
    return None if count is None or not total else 100 * count / total


def _format_rate(rate: float | None) -> str:
    return "n/a" if rate is None else f"{rate:.4f}"

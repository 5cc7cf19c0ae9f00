r"""The files of an alignment: Praat's TextGrid, NIST's CTM, and JSON.

A TextGrid in Praat's long form, of which these are the lines of one interval::

        intervals [1]:
            xmin = 0
            xmax = 0.34
            text = ""

A CTM: recording, channel, start and duration in seconds, word or phone, confidence::

    anna/01 1 0.34 0.21 добрый 0.9731
    anna/01 1 0.55 0.30 день 0.9954
    boris/01 1 0.12 0.48 спасибо 0.8817

JSON: an object for each utterance on one line.
"""

import json
import math
from collections.abc import Iterator, Sequence

from cascade.alignment.aligner import AlignedUtterance

UNITS = ("words", "phones")
Interval = tuple[float, float, str]  # begin and end in seconds, text
Tiers = dict[str, list[Interval]]


def tiers(aligned: Sequence[AlignedUtterance]) -> tuple[Tiers, list[str]]:
    """Return the tiers of a recording, and the utterances that overlap others and are left out.

    If several people speak, each has tiers of their own, as the Montreal Forced Aligner has them.
    """
    speakers = list(dict.fromkeys(one.utterance.speaker for one in aligned))
    table: Tiers = {}
    overlapping = []
    for speaker in speakers:
        prefix = f"{speaker} - " if len(speakers) > 1 else ""
        words: list[Interval] = []
        phones: list[Interval] = []
        own = [one for one in aligned if one.utterance.speaker == speaker]
        for one in sorted(own, key=lambda one: one.words[0].begin):
            if words and one.words[0].begin < words[-1][1]:
                overlapping.append(one.utterance.id)
                continue
            words += [(word.begin, word.end, word.word) for word in one.words]
            phones += [(p.begin, p.end, p.phone) for word in one.words for p in word.phones]
        table |= {f"{prefix}words": words, f"{prefix}phones": phones}
    return table, overlapping


def textgrid(table: Tiers, seconds: float) -> str:
    """Return a TextGrid of a recording that lasts ``seconds``.

    >>> print(textgrid({"words": [(0.25, 0.5, 'say "a"')]}, 0.5))
    File type = "ooTextFile"
    Object class = "TextGrid"
    <BLANKLINE>
    xmin = 0
    xmax = 0.5
    tiers? <exists>
    size = 1
    item []:
        item [1]:
            class = "IntervalTier"
            name = "words"
            xmin = 0
            xmax = 0.5
            intervals: size = 2
            intervals [1]:
                xmin = 0
                xmax = 0.25
                text = ""
            intervals [2]:
                xmin = 0.25
                xmax = 0.5
                text = "say ""a"\""
    <BLANKLINE>
    """
    end = _number(seconds)
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", "xmin = 0"]
    lines += [f"xmax = {end}", "tiers? <exists>", f"size = {len(table)}", "item []:"]
    for number, (name, intervals) in enumerate(table.items(), 1):
        filled = list(_filled(intervals, seconds))
        lines += [f"    item [{number}]:", '        class = "IntervalTier"']
        lines += [f"        name = {_quoted(name)}", "        xmin = 0", f"        xmax = {end}"]
        lines.append(f"        intervals: size = {len(filled)}")
        for place, (begin, until, text) in enumerate(filled, 1):
            lines += [f"        intervals [{place}]:", f"            xmin = {_number(begin)}"]
            lines += [f"            xmax = {_number(until)}", f"            text = {_quoted(text)}"]
    return "\n".join(lines) + "\n"


def _filled(intervals: Sequence[Interval], seconds: float) -> Iterator[Interval]:
    """Yield intervals with empty ones between them: together they cover the recording."""
    at = 0.0
    for begin, end, text in intervals:
        if begin > at:
            yield at, begin, ""
        yield begin, end, text
        at = end
    if at < seconds:
        yield at, seconds, ""


def _number(seconds: float) -> str:
    return f"{seconds:.6f}".rstrip("0").rstrip(".")


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def ctm(recording: str, aligned: AlignedUtterance, unit: str) -> str:
    """Return the lines of an utterance's ``unit``: "words" or "phones".

    The confidence of a word is e to the power of its score; its phones have the same.
    """
    name = "_".join(recording.split())
    channel = 1 + (aligned.utterance.channel or 0)
    lines = []
    for word in aligned.words:
        rows = [(p.begin, p.end, p.phone) for p in word.phones]
        if unit == "words":
            rows = [(word.begin, word.end, word.word)]
        for begin, end, text in rows:
            times = f"{begin:.2f} {end - begin:.2f}"
            lines.append(f"{name} {channel} {times} {text} {math.exp(word.score):.4f}\n")
    return "".join(lines)


def as_json(recording: str, aligned: AlignedUtterance, fits: bool) -> str:
    """Return a JSON object on one line. Times are seconds from the start of the recording::

    {"utterance": "u1", "recording": "a", "begin": 0.0, "end": 2.1, "score": -0.4, "fits": true,
     "words": [{"word": "да", "begin": 0.5, "end": 0.8, "score": -0.1,
                "phones": [{"phone": "d", "begin": 0.5, "end": 0.61}]}]}
    """
    item = aligned.utterance
    row = {
        "utterance": item.id,
        "recording": recording,
        "begin": round(item.start, 3),
        "end": round(item.start + item.seconds, 3),
        "score": round(aligned.score, 4),
        "fits": fits,
        "words": [
            {
                "word": word.word,
                "begin": round(word.begin, 3),
                "end": round(word.end, 3),
                "score": round(word.score, 4),
                "phones": [
                    {"phone": p.phone, "begin": round(p.begin, 3), "end": round(p.end, 3)}
                    for p in word.phones
                ],
            }
            for word in aligned.words
        ],
    }
    return json.dumps(row, ensure_ascii=False) + "\n"

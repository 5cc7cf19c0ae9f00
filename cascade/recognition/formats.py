"""How recognised recordings are printed: lines of text, JSON, subtitles."""

import html
import json
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

from cascade.lm.spelling import joined
from cascade.recognition.recordings import Recording

LINE, LINES = 42, 2  # characters of a line of a subtitle, and its lines
LONGEST, PAUSE = 6.0, 0.6  # seconds of a subtitle, and of a pause that ends one
Cue = tuple[float, float, str]  # begin and end in seconds, text


def words(name: str, recording: Recording) -> str:
    """Return the recording's name, a tab, its words."""
    return f"{name}\t{' '.join(recording.words)}"


def phones(name: str, recording: Recording) -> str:
    """Return the recording's name, a tab, its phones."""
    return f"{name}\t{' '.join(recording.phones)}"


def times(name: str, recording: Recording) -> str:
    """Return a line for each word: name, start and duration in seconds, confidence, word."""
    return "\n".join(
        f"{name}\t{start:.2f}\t{seconds:.2f}\t{confidence:.2f}\t{word}"
        for word, start, seconds, confidence in recording.timed
    )


def nbest(name: str, recording: Recording) -> str:
    """Return a line for each hypothesis: name, start of the part, rank, score, words."""
    return "\n".join(
        f"{name}\t{part.begin:.2f}\t{rank}\t{hypothesis.score:.4f}\t"
        + " ".join(joined(recording.table[i] for i in hypothesis.words))
        for part in recording.parts
        for rank, hypothesis in enumerate(part.decoded.hypotheses, 1)
    )


def as_json(name: str, recording: Recording) -> str:
    """Return a JSON object on one line. Times are seconds from the start of the recording::

    {"file": "a.wav", "seconds": 2.1, "text": "да", "parts": [
      {"begin": 0.0, "end": 2.1, "text": "да", "phones": "d a",
       "words": [{"word": "да", "begin": 0.5, "end": 0.8, "confidence": 0.91}],
       "nbest": [{"text": "да", "score": -20.1}]}]}
    """
    parts: list[dict[str, Any]] = []
    for part in recording.parts:
        timed = part.decoded.timed
        parts.append(
            {
                "begin": round(part.begin, 3),
                "end": round(part.end, 3),
                "text": " ".join(part.decoded.words),
                "phones": " ".join(part.decoded.phones_ngram),
                "words": [
                    {
                        "word": word,
                        "begin": round(part.begin + start, 3),
                        "end": round(part.begin + start + seconds, 3),
                        "confidence": round(confidence, 4),
                    }
                    for word, start, seconds, confidence in timed
                ],
                "nbest": [
                    {
                        "text": " ".join(joined(recording.table[i] for i in one.words)),
                        "score": round(one.score, 4),
                    }
                    for one in part.decoded.hypotheses
                ],
            }
        )
    text, seconds = " ".join(recording.words), round(recording.seconds, 3)
    row = {"file": name, "seconds": seconds, "text": text, "parts": parts}
    return json.dumps(row, ensure_ascii=False)


def srt(_name: str, recording: Recording) -> str:
    """Return subtitles in SubRip's form."""
    blocks = [
        f"{number}\n{_clock(begin, ',')} --> {_clock(end, ',')}\n{_wrapped(text)}\n"
        for number, (begin, end, text) in enumerate(cues(recording.timed), 1)
    ]
    return "\n".join(blocks)


def vtt(_name: str, recording: Recording) -> str:
    """Return subtitles in WebVTT's form."""
    blocks = [
        f"{_clock(begin, '.')} --> {_clock(end, '.')}\n{html.escape(_wrapped(text), quote=False)}\n"
        for begin, end, text in cues(recording.timed)
    ]
    return "\n".join(["WEBVTT\n", *blocks])


def cues(timed: Sequence[tuple[str, float, float, float]]) -> Iterator[Cue]:
    """Yield subtitles: words up to a pause, to two lines or to six seconds.

    >>> list(cues([("да", 0.5, 0.25, 0.9), ("нет", 0.75, 0.5, 0.9), ("да", 2.0, 0.5, 0.9)]))
    [(0.5, 1.25, 'да нет'), (2.0, 2.5, 'да')]
    """
    text, begin, end = "", 0.0, 0.0
    for word, start, seconds, _ in timed:
        longer = f"{text} {word}" if text else word
        full = start + seconds - begin > LONGEST or len(_lines(longer)) > LINES
        if text and (start - end > PAUSE or full):
            yield begin, end, text
            text, longer = "", word
        begin = begin if text else start
        text, end = longer, start + seconds
    if text:
        yield begin, end, text


def _wrapped(text: str) -> str:
    return "\n".join(_lines(text))


def _lines(text: str) -> list[str]:
    """Return the lines of a subtitle; a word is never broken."""
    return textwrap.wrap(text, LINE, break_long_words=False, break_on_hyphens=False)


def _clock(seconds: float, point: str) -> str:
    """Return a time as subtitles have it.

    >>> _clock(3661.5, ",")
    '01:01:01,500'
    """
    whole, thousandths = divmod(round(seconds * 1000), 1000)
    minutes, rest = divmod(whole, 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest:02d}{point}{thousandths:03d}"

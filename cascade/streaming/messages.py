"""The events of a stream as JSON objects, for programs and for the network."""

from typing import Any

from cascade.streaming.stream import Event, Final


def message(event: Event) -> dict[str, Any]:
    """Return an event as JSON has it. Times are seconds from the start of the stream::

        {"type": "partial", "begin": 0.0, "text": "да", "rest": "нет или"}
        {"type": "final", "begin": 0.0, "end": 2.1, "text": "да нет", "words": [
          {"word": "да", "begin": 0.5, "end": 0.8, "confidence": 0.91}, ...]}

    The words of ``text`` stay in all later partials of an utterance; those of ``rest`` may change.
    """
    begin = round(event.begin, 3)
    if not isinstance(event, Final):
        text, rest = " ".join(event.stable), " ".join(event.rest)
        return {"type": "partial", "begin": begin, "text": text, "rest": rest}
    words = [
        {
            "word": word,
            "begin": round(start, 3),
            "end": round(start + seconds, 3),
            "confidence": round(confidence, 4),
        }
        for word, start, seconds, confidence in event.timed
    ]
    text, end = " ".join(event.words), round(event.end, 3)
    return {"type": "final", "begin": begin, "end": end, "text": text, "words": words}

"""The speed of synthetic speech; see voices.sh."""

import argparse
import os
import tempfile
import time
from itertools import product
from pathlib import Path

import soundfile

from cascade.config.sections import Language
from cascade.corpora import corpus
from cascade.corpora.corpus import CorpusRequest, Utterance
from cascade.text.reading import reading
from local.corpora import voices
from local.helpers import kokoro
from local.helpers.kokoro_speakers import draw_speakers

ROOT = Path(__file__).resolve().parent.parent.parent
WHO = ("the old man", "my sister", "nobody in the village", "a stranger", "the captain")
WHAT = ("saw", "wanted to sell", "never found", "was looking for", "brought")
WHICH = ("the small boat", "a letter from the king", "any of the horses", "her green coat")
WHEN = ("this morning", "before the war", "on the last day of the year", "in spite of the rain")


def cpu_seconds() -> float:
    """What this process, and those that it started and that have ended, took of all cores."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def measure(request: CorpusRequest, jobs: int, data: Path) -> tuple[float, float, float]:
    """Seconds of speech that ``jobs`` processes make; what it takes on the clock and of cores."""
    (data / "kokoro").parent.mkdir(parents=True)
    (data / "kokoro").symlink_to((request.data / "kokoro").resolve())
    changes = {"data": data, "jobs": jobs, "options": request.options, "reading": request.reading}
    begun, taken = time.perf_counter(), cpu_seconds()
    items = list(corpus.listing("voices", CorpusRequest(downloads=request.downloads, **changes)))
    elapsed, taken = time.perf_counter() - begun, cpu_seconds() - taken
    audio = [item.audio for item in items if isinstance(item, Utterance)]
    return sum(soundfile.info(path).duration for path in audio), elapsed, taken


def bare(request: CorpusRequest, model: Path) -> tuple[float, float]:
    """Seconds of speech by a loop over the network in this process, and of a core for it."""
    assert request.reading
    texts = voices.ordered(voices.sentences(request, request.reading), request.reading)
    speakers = draw_speakers("en-us", "own", request.options["speakers"])
    vocabulary = kokoro.vocabulary(model)
    tasks = list(
        voices.tasks("bare", texts[:256], speakers, voices.SPEEDS, request.reading, vocabulary)
    )
    begun, made = cpu_seconds(), 0.0
    for task in tasks:
        made += len(kokoro.speak(model, task.tokens, task.speaker, task.speed)) / kokoro.RATE
        if made >= 60 * request.options["minutes"]:
            break
    return made, cpu_seconds() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="of speech in each part")
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder) / "text.txt"
        text.write_text("\n".join(map(" ".join, product(WHO, WHAT, WHICH, WHEN))))
        language = Language("abcdefghijklmnopqrstuvwxyz", "en-us", texts=(str(text),))
        request = CorpusRequest(
            downloads=ROOT / "downloads",
            data=Path(folder) / "data",
            options={"voices": "own", "speakers": 100, "minutes": seconds / 60},
            reading=reading(language),
        )
        model = kokoro.install(request)
        wall, core = {}, {}
        for jobs in (1, 2):
            made, elapsed, taken = measure(request, jobs, Path(folder) / f"{jobs}")
            wall[jobs], core[jobs] = made / elapsed, made / taken
            print(f"{jobs} process(es): {made:.1f} s of speech in {elapsed:.1f} s", flush=True)
        made, taken = bare(request, model)  # last: forked processes must not have its model
        print(f"the network alone: {made:.1f} s of speech in {taken:.1f} s of a core")
    two, share = wall[2] / wall[1], core[1] / (made / taken)
    print(f"speech_per_s={core[1]:.2f} bare={share:.2f} two={two:.2f}")


if __name__ == "__main__":
    main()

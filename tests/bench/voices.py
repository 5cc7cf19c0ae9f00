"""The speed of synthetic speech; see voices.sh."""

import argparse
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


def measure(request: CorpusRequest, jobs: int, data: Path) -> tuple[float, float]:
    """Seconds of speech that ``jobs`` processes make, and the time it takes them."""
    (data / "kokoro").parent.mkdir(parents=True)
    (data / "kokoro").symlink_to((request.data / "kokoro").resolve())
    changes = {"data": data, "jobs": jobs, "options": request.options, "reading": request.reading}
    begun = time.perf_counter()
    items = list(corpus.listing("voices", CorpusRequest(downloads=request.downloads, **changes)))
    elapsed = time.perf_counter() - begun
    audio = [item.audio for item in items if isinstance(item, Utterance)]
    return sum(soundfile.info(path).duration for path in audio), elapsed


def bare(request: CorpusRequest, model: Path) -> tuple[float, float]:
    """The same for a loop over the network in this process, with the same tokens."""
    assert request.reading
    texts = voices.ordered(voices.sentences(request, request.reading), request.reading)
    speakers = draw_speakers("en-us", "own", request.options["speakers"])
    vocabulary = kokoro.vocabulary(model)
    tasks = list(voices.tasks("bare", texts[:256], speakers, request.reading, vocabulary))
    begun, made = time.perf_counter(), 0.0
    for task in tasks:
        made += len(kokoro.speak(model, task.tokens, task.speaker, task.speed)) / kokoro.RATE
        if made >= 60 * request.options["minutes"]:
            break
    return made, time.perf_counter() - begun


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
        speeds = {}
        for jobs in (1, 2):
            made, elapsed = measure(request, jobs, Path(folder) / f"{jobs}")
            speeds[jobs] = made / elapsed
            print(f"{jobs} process(es): {made:.1f} s of speech in {elapsed:.1f} s", flush=True)
        made, elapsed = bare(request, model)  # last: forked processes must not have its model
        print(f"the network alone: {made:.1f} s of speech in {elapsed:.1f} s")
    two, share = speeds[2] / speeds[1], speeds[1] / (made / elapsed)
    print(f"speech_per_s={speeds[1]:.2f} bare={share:.2f} two={two:.2f}")


if __name__ == "__main__":
    main()

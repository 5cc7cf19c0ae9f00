"""Italian telephone prompts of Asterisk, one woman: 10 minutes of sentences, 8 kHz.

Debian package ``asterisk-prompt-it-menardi-wav``. It has no texts. The list of
``asterisk-core-sounds-it`` has most of its keys, but not always its words: only prompts are taken
that last about as long as those of the other Italian speaker, `local.corpora.asterisk_it`.
A sentence is in the same part as there.
"""

from collections.abc import Iterator
from pathlib import Path

import soundfile

from cascade.corpora.corpus import CorpusRequest, Excluded, Utterance
from local.corpora import asterisk_it, asterisk_prompts
from local.helpers import debian, resampling

LICENCE = (
    "asterisk-prompt-it-menardi-wav: CC BY-SA 3.0 Italia, recorded by Marco Menardi and Paola Dal"
    " Zot, who offer these and other voices at www.voip.ammdomus.it."
)
PARTS = asterisk_prompts.PARTS
PACKAGE = debian.Package(
    "asterisk-prompt-it-menardi-wav",
    "1:1.4.22+mm20110907-3.1",
    {"all": "3094530d98f8758ac275572d59624c41f60969fef883f34f4886d144f3dfeb21"},
)
CORPUS = "asterisk_it_menardi"
VOICE, OTHER_VOICE = "it_IT_f_Menardi", "it_IT_m_Carlo"
RATE = 8000  # Hz, of both voices' recordings
TOLERANCE = 0.35  # of the length of the other speaker's recording


def utterances(request: CorpusRequest) -> Iterator[Utterance | Excluded]:
    """Yield the prompts in the order of the list, then sounds without text."""
    prompts = asterisk_it.PROMPTS
    packages = (prompts.list_package, prompts.sound_package(RATE), PACKAGE)
    source = debian.unpack(packages, request, f"{CORPUS}/packages", ["usr/share/"])
    texts = asterisk_prompts.parse(prompts.list_file(source))
    sounds = asterisk_prompts.recordings(source / asterisk_prompts.SOUNDS, VOICE)
    others = asterisk_prompts.recordings(source / asterisk_prompts.SOUNDS, OTHER_VOICE)
    wavs = _wavs(request, sounds)

    numbers: dict[str, int] = {}
    for key, text in texts.items():
        number = numbers.setdefault(asterisk_prompts.letters_of(text or key), len(numbers))
        part = asterisk_prompts.part(number)
        short = asterisk_prompts.is_short(text or "")
        if key not in sounds or request.part not in (None, "short" if short else part):
            continue
        seconds = soundfile.info(sounds[key]).duration
        other = soundfile.info(others[key]).duration if key in others else None
        fewest = 1 if request.part == "short" else asterisk_prompts.FEWEST_WORDS
        why = reason(key, text, seconds, other, fewest)
        identifier = f"{CORPUS}-{asterisk_prompts.flat(key)}"
        if why is None:
            yield Utterance(identifier, wavs[key], text or "", CORPUS)
        else:
            yield Excluded(identifier, why, seconds, selection=True)
    for key in sounds if request.part is None else ():
        if key not in texts:
            seconds = soundfile.info(sounds[key]).duration
            identifier = f"{CORPUS}-{asterisk_prompts.flat(key)}"
            yield Excluded(identifier, "no text for this sound", seconds, selection=True)


def reason(
    key: str, text: str | None, seconds: float, other: float | None, fewest: int
) -> str | None:
    """Why a prompt of ``seconds`` is left out, or None; ``other`` is the other speaker's length."""
    if text is None:
        return "two texts for this sound"
    if key.startswith("phonetic/"):  # "z come zara": only "zara" is spoken
        return "spelling alphabet"
    if why := asterisk_prompts.reason(key, text, asterisk_it.PROMPTS.letters, fewest):
        return why
    if not other:
        return "no recording of the other speaker to compare with"
    if abs(seconds / other - 1) > TOLERANCE:
        return f"its length differs by more than {TOLERANCE:.0%} from the other speaker's"
    return asterisk_prompts.too_fast(text, seconds)


def _wavs(request: CorpusRequest, sounds: dict[str, Path]) -> dict[str, Path]:
    """A wav file by key at the recipe's rate: the package's own, or resampled."""
    if request.rate == RATE:
        return sounds
    files = {asterisk_prompts.flat(key): path for key, path in sounds.items()}
    final = request.data / CORPUS / f"wav_{request.rate}"
    folder = resampling.folder(files, final, PACKAGE.line, request.rate, request.jobs)
    return {key: folder / f"{asterisk_prompts.flat(key)}.wav" for key in sounds}

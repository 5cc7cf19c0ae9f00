"""What a corpus is: a module in ``local/`` that lists utterances.

A corpus module, in ``local/`` or a folder of it, has

``LICENCE``
    one sentence, printed when the corpus is used;
``PARTS``
    the values that a recipe's ``part:`` may have; empty if there are none;
``utterances(request)``
    a generator of `Utterance` and `Excluded`, always in the same order.

A corpus may have

``KEYS``
    the keys of a data set that it takes and others do not, such as ``minutes``;
``SYNTHETIC = True``
    in a line of its own if a program speaks it. Of such speech of the target language, stage 0
    leaves out of the training what has the same sentence as a valid or test set.

A reader of users' folders also has

``lists(request)``
    the files that it reads, beside recordings; if one changes, stage 0 runs again;
``detect(request)``, ``LOOKS_FOR``
    a `Detection` if ``request.path`` looks like such a corpus, else None; and what it looks
    for, for messages;
``advice(path)``, optional
    what to do about a folder or file that no reader detects, else None.

A corpus that is fetched makes all its files before its first utterance: until then no other
run fetches anything. A corpus module knows nothing of features, networks or recipes.
"""

import importlib
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from cascade.runtime.errors import UserError
from cascade.runtime.lock import turn
from cascade.runtime.project import LOCAL

log = logging.getLogger("cascade")


@dataclass(frozen=True)
class Utterance:
    """An utterance as its corpus lists it. Nothing of it is checked yet.

    ``start`` and ``end`` are seconds in ``audio``; an ``end`` of None is the end of the
    recording. ``text`` is as the corpus writes it, not normalised. ``speaker`` may be empty,
    and then becomes "unknown"; white space in it becomes "_". ``channel``, if the corpus
    names one, counts from 0. ``features`` replaces audio: the place of a feature matrix in the
    archive ``audio``, as in a Kaldi scp.

    >>> Utterance("u1", Path("a.wav"), "Guten Tag", "Anna  Maria").speaker
    'Anna_Maria'
    """

    id: str
    audio: Path
    text: str
    speaker: str = ""
    start: float = 0.0
    end: float | None = None
    channel: int | None = None
    features: str | None = None

    def __post_init__(self) -> None:
        # Fields of Kaldi's files, and so of ours, are separated by blanks.
        object.__setattr__(self, "speaker", "_".join(self.speaker.split()) or "unknown")


@dataclass(frozen=True)
class Excluded:
    """An utterance that is left out, and why; ``seconds`` is None if unknown.

    A ``selection`` is a choice of the corpus, such as a prompt too short to be a sentence.
    Otherwise it is a fault, such as a file that cannot be read. Only faults count against
    ``max_excluded``.
    """

    id: str
    reason: str
    seconds: float | None = None
    selection: bool = False


@dataclass(frozen=True)
class Reading:
    """How a language is read aloud, for a corpus that a program speaks.

    ``voice`` is espeak-ng's name of the language, ``texts`` are those of the recipe that are read.
    ``words`` returns the normalised words of a sentence; () for one that the language cannot
    write. ``ipa`` returns espeak-ng's IPA of sentences, with stress marks and blanks between words.
    """

    voice: str
    texts: tuple[str, ...]
    words: Callable[[str], tuple[str, ...]]
    ipa: Callable[[Sequence[str]], list[str]]


@dataclass(frozen=True)
class CorpusRequest:
    """What a corpus module is asked for.

    ``downloads`` has packages as they were fetched, ``data`` what is unpacked or made from
    them, in one folder a corpus. ``path`` is the user's own folder or table, if the recipe
    names one, ``language`` the recipe's name of the language, ``rate`` the sampling rate in
    Hz of audio that the corpus makes, and ``jobs`` how many processes it may use. Where the
    speech need not be ``transcribed``, utterances without a text may be listed, too. ``options``
    are the keys of the data set that the corpus's ``KEYS`` name, as far as the recipe has them.
    ``reading`` is for corpora that a program speaks.
    """

    downloads: Path
    data: Path
    part: str | None = None
    path: Path | None = None
    language: str = ""
    rate: int = 16000
    jobs: int = 1
    transcribed: bool = True
    options: Mapping[str, Any] = field(default_factory=dict)
    reading: Reading | None = None


@dataclass(frozen=True)
class Detection:
    """A folder that a corpus module can read, and ``why`` it thinks so.

    ``parts`` gives the corpus's parts that are there, by role: train, valid or test. If other
    corpora may look the same, the detection is not ``sure``.
    """

    why: str
    parts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sure: bool = True


def names() -> list[str]:
    """Return the names of all corpora, sorted."""
    return [
        name
        for name, file in modules().items()
        if "def utterances(" in file.read_text(encoding="utf-8")
    ]


def module_name(name: str) -> str:
    """Return the full name of a module of ``local/``, in whichever folder it is.

    >>> module_name("kaldi")
    'local.readers.kaldi'
    """
    file = modules()[name]
    return ".".join(file.relative_to(LOCAL.parent).with_suffix("").parts)


def modules() -> dict[str, Path]:
    """Return the files of the modules of ``local/`` and its folders by name, sorted."""
    files = [file for file in LOCAL.rglob("*.py") if file.name != "__init__.py"]
    return {file.stem: file for file in sorted(files, key=lambda file: file.stem)}


def corpus_module(name: str) -> str:
    """Return the full name of a corpus module.

    Raises `UserError` for an unknown corpus. A recipe can name only files of ``local/``, so it
    cannot import anything else.
    """
    corpora = names()
    if name not in corpora:
        raise UserError(f"Unknown corpus '{name}'. Known: {', '.join(corpora)}.")
    return module_name(name)


def load(name: str) -> ModuleType:
    """Import a corpus module; raise `UserError` for an unknown corpus."""
    return importlib.import_module(corpus_module(name))


def listing(name: str, request: CorpusRequest) -> Iterator[Utterance | Excluded]:
    """Yield what corpus ``name`` has for ``request``; raise `UserError` for an unknown part.

    Experiments share what a corpus fetches and makes. One process at a time does so, the
    others wait.
    """
    module = load(name)
    if request.part is not None and request.part not in module.PARTS:
        parts = ", ".join(module.PARTS) or "none"
        raise UserError(f"Corpus '{name}' has no part '{request.part}'. Its parts: {parts}.")
    if own(name):  # nothing is fetched, and the list may be long
        yield from module.utterances(request)
        return
    with turn(request.data):
        items = list(module.utterances(request))
    yield from items


def check_options(name: str, options: Mapping[str, Any]) -> None:
    """Raise `UserError` if corpus ``name`` does not take one of a data set's ``options``."""
    for key in options:
        if key not in getattr(load(name), "KEYS", ()):
            takers = [other for other in names() if key in getattr(load(other), "KEYS", ())]
            raise UserError(
                f"Corpus '{name}' does not take the key '{key}'. Corpora that take it:"
                f" {', '.join(takers)}."
            )


def synthetic(name: str) -> bool:
    """Say whether a program speaks corpus ``name``. Raises `UserError` for an unknown corpus.

    The module is read and not imported, so that a run with nothing to do starts fast.
    """
    corpus_module(name)
    return "\nSYNTHETIC = True\n" in modules()[name].read_text(encoding="utf-8")


def text_modules(names: Iterable[str]) -> tuple[str, ...]:
    """Return the full names of the modules among texts and dictionaries; the others are files."""
    known = modules()
    return tuple(module_name(n) for n in names if not Path(n).is_file() and n in known)


def texts_to_read(texts: Sequence[str], voice: str) -> tuple[str, ...]:
    """Return what a program reads in the language of ``voice``: files, and modules of ``local``.

    They are those that the recipe names, else the module ``texts_XX``, if there is one.
    """
    module = f"texts_{voice.partition('-')[0]}"
    return tuple(texts) or ((module,) if module in modules() else ())


def lists(name: str, request: CorpusRequest) -> list[Path]:
    """Return the user's own lists that corpus ``name`` reads; [] for a corpus that is fetched."""
    return load(name).lists(request) if own(name) else []


def own(name: str) -> bool:
    """Say whether corpus ``name`` reads a folder of the user's. Else it is fetched."""
    return hasattr(load(name), "lists")


def check_source(kind: str, name: str) -> None:
    """Raise `UserError` if a recipe's text or dictionary is neither a file nor a module.

    ``kind`` is "text" or "dictionary".
    """
    prefix = {"text": "texts_", "dictionary": "dictionary_"}[kind]
    module = name.startswith(prefix) and name in modules()
    if not module and not Path(name).is_file():
        raise UserError(f"Unknown {kind} '{name}': it is neither a file nor a module of local/.")


def sentences(name: str, request: CorpusRequest) -> list[str]:
    """Return the sentences that the module ``name`` of ``local/`` fetches, one run at a time."""
    with turn(request.data):
        return raw_sentences(name, request)


def raw_sentences(name: str, request: CorpusRequest) -> list[str]:
    """As `sentences`, for a corpus: its run has its turn already, and would lose it."""
    module = importlib.import_module(module_name(name))
    log.info("Licence: %s", module.LICENCE)
    return list(module.sentences(request))

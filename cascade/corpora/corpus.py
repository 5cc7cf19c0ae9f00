"""What a corpus is to this package: a module in ``local/`` that lists utterances.

A corpus module, in ``local/`` or a folder of it, holds

``LICENCE``
    one sentence, printed when the corpus is used;
``PARTS``
    the names that a recipe's ``part:`` may have, empty where there are none;
``utterances(request)``
    a generator of `Utterance` and `Excluded` in a fixed order;
``lists(request)``
    where it reads the user's own folder: the files, beside recordings, that it reads.
    Their change makes stage 0 stale as much as a recording's;
``detect(request)``, ``LOOKS_FOR``
    likewise: `Detection` where ``request.path`` looks like such a corpus, else None; and
    by what it is told, for messages;
``advice(path)``, if it likes
    what to do about a folder or file that no reader detects, where it can tell, else None.

It fetches what it needs, and makes all its files before its first utterance: only so far
do runs take turns. It knows nothing of features, networks or recipes.
"""

import importlib
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

from cascade.runtime.errors import UserError
from cascade.runtime.lock import turn
from cascade.runtime.project import LOCAL

log = logging.getLogger("cascade")


@dataclass(frozen=True)
class Utterance:
    """An utterance as its corpus lists it; nothing about it has been checked yet.

    ``start`` and ``end`` are seconds in ``audio``; an ``end`` of None is the end of the
    recording. ``text`` is as the corpus writes it, not yet normalised. ``speaker`` may be
    empty, and then becomes "unknown"; white space in it becomes "_". ``channel``, where
    the corpus names one, counts from 0. ``features``, where there is no audio, says where
    in the archive ``audio`` Kaldi's features of the utterance lie, as an scp does.
    """

    id: str
    audio: Path
    text: str
    speaker: str = ""
    start: float = 0.0
    end: float | None = None
    channel: int | None = None
    features: str | None = None

    def __post_init__(self):
        # Kaldi's files, and so ours, part their fields by blanks.
        object.__setattr__(self, "speaker", "_".join(self.speaker.split()) or "unknown")


@dataclass(frozen=True)
class Excluded:
    """An utterance that is left out, and why; ``seconds`` is None where unknown.

    ``selection`` tells a choice of the corpus (too short a prompt to be a sentence) from
    a fault (a file that cannot be read): only faults count against ``max_excluded``.
    """

    id: str
    reason: str
    seconds: float | None = None
    selection: bool = False


@dataclass(frozen=True)
class CorpusRequest:
    """What a corpus module is asked for.

    ``downloads`` keeps packages as they were fetched, ``data`` what was unpacked or made
    from them (one folder a corpus), ``path`` is the user's own folder or table where the
    recipe names one, ``language`` the recipe's name of the language, and ``rate`` the
    sampling rate in Hz that made audio must have.
    """

    downloads: Path
    data: Path
    part: str | None = None
    path: Path | None = None
    language: str = ""
    rate: int = 16000
    jobs: int = 1


@dataclass(frozen=True)
class Detection:
    """A folder that a corpus module can read, and ``why`` it thinks so.

    ``parts`` are the corpus's own that are there, by the role that each may play: train,
    valid or test. A layout that others may look like, too, is not ``sure``.
    """

    why: str
    parts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sure: bool = True


def names() -> list[str]:
    """The corpora that ``local/`` has, sorted."""
    return [
        name
        for name, file in modules().items()
        if "def utterances(" in file.read_text(encoding="utf-8")
    ]


def module_name(name: str) -> str:
    """The full name of ``NAME.py`` of ``local/``, whichever folder it is in, for an import."""
    file = modules()[name]
    return ".".join(file.relative_to(LOCAL.parent).with_suffix("").parts)


def modules() -> dict[str, Path]:
    """The modules of ``local/`` and of its folders by name, sorted."""
    files = [file for file in LOCAL.rglob("*.py") if file.name != "__init__.py"]
    return {file.stem: file for file in sorted(files, key=lambda file: file.stem)}


def corpus_module(name: str) -> str:
    """The full name of the corpus module ``NAME.py`` of ``local/``.

    Raises `UserError` where there is no such corpus: only files of ``local/`` can be
    named, so a recipe cannot import anything else.
    """
    known = names()
    if name not in known:
        raise UserError(f"There is no corpus '{name}' in local/; there are {', '.join(known)}.")
    return module_name(name)


def load(name: str) -> ModuleType:
    """Imports a corpus module; raises `UserError` where there is no such corpus."""
    return importlib.import_module(corpus_module(name))


def listing(name: str, request: CorpusRequest) -> Iterator[Utterance | Excluded]:
    """Yields what corpus ``name`` has for ``request``; checks the name of the part first.

    Corpora share folders of downloads, and what they make is there for every experiment:
    one process at a time fetches and makes, the others wait for it.
    """
    module = load(name)
    if request.part is not None and request.part not in module.PARTS:
        parts = ", ".join(module.PARTS) or "none"
        raise UserError(f"Corpus '{name}' has no part '{request.part}'; its parts are: {parts}.")
    if own(name):  # nothing is fetched, and it may be long
        yield from module.utterances(request)
        return
    with turn(request.data):
        found = list(module.utterances(request))
    yield from found


def lists(name: str, request: CorpusRequest) -> list[Path]:
    """The user's own lists that corpus ``name`` reads for ``request``."""
    return load(name).lists(request) if own(name) else []


def own(name: str) -> bool:
    """Whether corpus ``name`` reads a folder of the user's, rather than one it fetches."""
    return hasattr(load(name), "lists")


def check_source(kind: str, name: str) -> None:
    """Raises `UserError` where a recipe's text or dictionary is neither a file nor a module."""
    prefix = {"text": "texts_", "dictionary": "dictionary_"}[kind]
    module = name.startswith(prefix) and name in modules()
    if not module and not Path(name).is_file():
        raise UserError(f"There is no {kind} '{name}': neither a file nor a module of local/.")


def sentences(name: str, request: CorpusRequest) -> list[str]:
    """The sentences of ``NAME.py`` of ``local/``, free texts, taken in turn likewise."""
    module = importlib.import_module(module_name(name))
    log.info("Licence of %s: %s", name, module.LICENCE)
    with turn(request.data):
        return list(module.sentences(request))

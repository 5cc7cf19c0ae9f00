"""Recordings with their text, for the commands that take a trained model to them."""

import importlib.util
import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace

from cascade.config.sections import Language, Limits
from cascade.corpora import corpus
from cascade.corpora.corpus import CorpusRequest, Excluded, Utterance
from cascade.corpora.detection import find_parts
from cascade.data.utterance_checks import CheckedUtterance, Rules, check_utterance
from cascade.runtime.errors import UserError
from cascade.runtime.project import LOCAL, ROOT

log = logging.getLogger("cascade")
NAMED = 10  # utterances in a message


def rules_of(rule: Language, rate: int, limits: Limits, channel: int | None) -> Rules:
    """Return what utterances of any length are checked against, as far as headers tell.

    Letters of other alphabets that look like the language's are replaced, and numbers become
    words where the package for that is installed.
    """
    return Rules(
        rule,
        rate,
        replace(limits, max_seconds=float("inf")),
        channel,
        decode=False,
        fix=True,
        numbers=importlib.util.find_spec("icu4py") is not None,
    )


def labelled_utterances(
    where: str, language: str, rules: Rules, jobs: int
) -> tuple[list[CheckedUtterance], list[Excluded]]:
    """Return the utterances of a folder that pass the checks, and the others.

    ``where`` is a folder, a file or a corpus that is fetched; ``language`` is its code. Raises
    `UserError` if no reader knows it, and if it has no usable utterance.
    """
    if not LOCAL.is_dir():
        raise UserError(
            "the readers of folders are not installed: they are in the folder local/ of the"
            " project. Install it where it is: pip install --editable PROJECT."
        )
    asked = CorpusRequest(
        ROOT / "downloads", ROOT / "data", language=language, rate=rules.rate, jobs=jobs
    )
    why, parts = find_parts(where, asked)
    log.info("%s: %s.", where, why)
    items: list[CheckedUtterance] = []
    left_out: list[Excluded] = []
    seen: dict[str, set[tuple]] = {}  # by id: what it stood for
    for part in parts:
        one = replace(asked, path=part.path, part=part.part)
        for listed in _listing(part.corpus, one):
            meanings, meaning = seen.setdefault(listed.id, set()), _meaning(listed)
            if meaning in meanings:
                continue  # parts of a corpus may share utterances
            twice = isinstance(listed, Utterance) and any(len(one) > 1 for one in meanings)
            meanings.add(meaning)
            reason = "another utterance has this id"
            checked = Excluded(listed.id, reason) if twice else _checked(listed, rules)
            if isinstance(checked, Excluded):
                left_out.append(checked)
            else:
                items.append(checked)
    if not items:
        some = "; ".join(f"{one.id}: {one.reason}" for one in left_out[:3]) or "it lists none"
        raise UserError(f"{where} has no utterance that can be used ({some}).")
    return items, left_out


def left_out_lines(left_out: Sequence[Excluded]) -> list[str]:
    """Return lines that say what was left out and why, of the first `NAMED`."""
    if not left_out:
        return []
    some = [f"  {one.id}: {one.reason}" for one in left_out[:NAMED]]
    return [f"{len(left_out)} are left out:", *some]


def printable(text: str) -> str:
    """Return text that any file and terminal takes: bytes of names that are not UTF-8 escaped."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _listing(name: str, request: CorpusRequest) -> Iterable[Utterance | Excluded]:
    """As `corpus.listing`, with a sentence where a corpus that is made needs more packages."""
    try:
        return corpus.listing(name, request)
    except ImportError as error:
        raise UserError(
            f"the corpus '{name}' needs {error.name}, which is not installed. In the project's"
            " folder: . ./path.sh"
        ) from None


def _checked(listed: Utterance | Excluded, rules: Rules) -> CheckedUtterance | Excluded:
    if isinstance(listed, Excluded):
        return listed
    names = f"{listed.id} {listed.speaker} {listed.audio}"
    if printable(names) != names:  # neither libsndfile nor the results can have it
        return Excluded(listed.id, "its name is not UTF-8: rename it")
    checked = check_utterance(listed, rules)[0]
    if isinstance(checked, CheckedUtterance) and checked.features:
        return Excluded(listed.id, "it has features in place of a recording")
    return checked


def _meaning(listed: Utterance | Excluded) -> tuple:
    """Return what an id stands for: a part of a recording, or what is left out and why."""
    if isinstance(listed, Excluded):
        return (listed.reason,)
    return listed.audio, listed.start, listed.end, listed.channel, listed.text

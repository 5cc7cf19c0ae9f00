"""The checks of one data set in stage 0. Each step returns what the next one starts from.

1. `list_dataset` reads the lists of the corpus: a `ListedDataset`.
2. `check_utterances` checks each utterance by itself: a `CheckedDataset`.
3. `check_pronunciations` looks up the words of all: a `UsableDataset`.

`cascade.data.selection` then chooses from it. Memory holds a few dozen bytes of each
utterance; the rest is in an `UtteranceFile`.
"""

import hashlib
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np

from cascade.config.experiment import Experiment
from cascade.config.recipe import Recipe
from cascade.config.sections import Dataset, Language
from cascade.corpora import corpus, split
from cascade.corpora.corpus import CorpusRequest, Excluded, Utterance
from cascade.data.ledger import AddRow, Exclusions
from cascade.data.overlap import short_digest
from cascade.data.utterance_checks import (
    CheckedUtterance,
    Rules,
    check_pronunciation,
    check_utterance,
)
from cascade.data.utterance_file import UtteranceFile
from cascade.runtime import workers
from cascade.runtime.errors import UserError
from cascade.runtime.file_names import on_disk
from cascade.runtime.progress import meter
from cascade.runtime.stamp import ABSENT, Digest, Sources, digest
from cascade.text.lexicon import look_up
from cascade.text.numbers import supported
from cascade.text.reading import reading
from cascade.text.words import folded

CHUNK = 32  # utterances that a worker process takes at once


@dataclass(frozen=True)
class ListedDataset:
    """A data set whose corpus can be listed.

    ``list_digests`` are those of the user's lists before they were read, ``count`` is the
    number of utterances; None for a corpus that is fetched. ``exclusions`` collects what the
    steps leave out, ``changes`` counts what they change in transcripts.
    """

    recipe: Recipe
    dataset: Dataset
    key: str
    request: CorpusRequest
    exclusions: Exclusions
    list_digests: dict[Path, Digest]
    count: int | None
    changes: Counter[str] = field(default_factory=Counter)

    @property
    def language(self) -> Language:
        return self.recipe.languages[self.dataset.language]

    @property
    def synthetic_training(self) -> bool:
        """Whether it is synthetic speech of the target language to train on."""
        target = self.dataset.language == self.recipe.target
        training = self.dataset.role.startswith("train")
        return target and training and corpus.synthetic(self.dataset.corpus)


@dataclass(frozen=True)
class CheckedDataset:
    """A data set whose utterances were checked one by one.

    ``utterances`` has those that passed, ``words`` all of their words. ``feature_size`` is
    the size of the features that the corpus has in place of audio; 0 for audio.
    """

    listed: ListedDataset
    utterances: UtteranceFile
    words: set[str]
    feature_size: int


@dataclass(frozen=True)
class UsableDataset:
    """A data set whose usable utterances are known.

    Three arrays have a value for each usable utterance: ``numbers`` in the file
    ``utterances``, ``ranks`` that decide what `target_minutes` takes first, and ``seconds``.
    ``passed`` counts those that passed the checks, also what a limit for speakers took out.
    """

    listed: ListedDataset
    utterances: UtteranceFile
    feature_size: int
    numbers: np.ndarray
    ranks: np.ndarray
    seconds: np.ndarray
    passed: int

    def sentences(self) -> Iterator[int]:
        """Yield the digest of each usable utterance's sentence."""
        wanted = set(self.numbers.tolist())
        for number, item in enumerate(self.utterances):
            if number in wanted:
                yield short_digest(*folded(item.words, self.listed.language))


def list_dataset(
    experiment: Experiment, dataset: Dataset, jobs: int, add_row: AddRow
) -> ListedDataset:
    """Read the user's own lists to their end. A corpus that is fetched is not listed yet.

    So an error in the last line of a list shows before hours go into the recordings.
    ``add_row`` gets what this and the later steps leave out. Raises `UserError` for a list
    that is wrong, and for an utterance id that appears twice.
    """
    recipe, layout = experiment.recipe, experiment.layout
    key = experiment.dataset_key(dataset)
    if not dataset.transcribed and corpus.synthetic(dataset.corpus):
        raise UserError(
            f"{key}: a program speaks corpus '{dataset.corpus}', so its transcripts are known. Use"
            " role 'train_ext' and name a stream."
        )
    if dataset.numbers and not supported(recipe.languages[dataset.language]):
        raise UserError(
            f"{key}: 'numbers: words' is not possible: no rules are known for the numbers of"
            f" '{dataset.language}'. Write them as words, or leave the key out."
        )
    request = CorpusRequest(
        downloads=layout.downloads,
        data=layout.data,
        part=dataset.part,
        path=on_disk(Path(dataset.path)) if dataset.path else None,
        language=dataset.language,
        rate=recipe.features.rate,
        jobs=jobs,
        transcribed=dataset.transcribed,
        options=dataset.options,
        reading=reading(recipe.languages[dataset.language]),
    )
    digests = {path: digest(path) or ABSENT for path in corpus.lists(dataset.corpus, request)}
    own = corpus.own(dataset.corpus)
    count = sum(1 for _ in _listing(dataset, request)) if own else None
    exclusions = Exclusions(key, add_row)
    return ListedDataset(recipe, dataset, key, request, exclusions, digests, count)


def check_utterances(
    listed: ListedDataset,
    pool: workers.Pool,
    sources: Sources,
    utterances: UtteranceFile,
    decode: bool = True,
) -> CheckedDataset:
    """Check every utterance by itself; write those that pass to ``utterances``.

    ``sources`` gets all recordings, also of utterances that fail: the user may fix them.
    Without ``decode`` only the headers of recordings are read. Raises `UserError` for an
    utterance id that appears twice.
    """
    channel = None if listed.dataset.channel in (None, "mix") else int(listed.dataset.channel)
    recipe = listed.recipe
    rules = Rules(
        listed.language,
        recipe.features.rate,
        recipe.limits,
        channel,
        decode,
        listed.dataset.transcribed,
        listed.dataset.confusables == "fix",
        listed.dataset.numbers == "words",
    )
    items = _listing(listed.dataset, listed.request)
    tasks = workers.chunks(((item, rules) for item in items), CHUNK)
    words: set[str] = set()
    feature_size = 0
    with meter(listed.key, listed.count, "utterances") as advance:
        for results in workers.in_order(pool, _check, tasks, 2 * listed.request.jobs):
            for result, path, known in results:
                if path is not None:
                    sources.add(path, known)
                if isinstance(result, CheckedUtterance):
                    feature_size = feature_size or result.feature_size
                    if result.feature_size == feature_size:
                        utterances.add(result)
                        words.update(result.words)
                        listed.changes.update(result.changes)
                        continue
                    reason = (
                        f"its features are of size {result.feature_size},"
                        f" those before of {feature_size}"
                    )
                    result = Excluded(result.id, reason, result.seconds)
                listed.exclusions.add(result)
            advance(len(results))
    return CheckedDataset(listed, utterances, words, feature_size)


def check_pronunciations(
    checked: CheckedDataset, held_out: Mapping[int, str] = MappingProxyType({})
) -> UsableDataset:
    """Leave out what has no pronunciation, more phones than frames, or a sentence held out.

    ``held_out`` gives, by the digest of a sentence, the key of a data set that has it.
    """
    listed = checked.listed
    lexicon = look_up(checked.words, listed.language)
    checked.words.clear()  # there may be millions
    numbers, ranks, seconds = array("Q"), array("Q"), array("d")
    for number, item in enumerate(checked.utterances):
        fault = check_pronunciation(item, lexicon, listed.recipe.features.stack)
        sentence = short_digest(*folded(item.words, listed.language)) if held_out else 0
        if not fault and (key := held_out.get(sentence)):
            reason = f"the same sentence as one of {key}"
            fault = Excluded(item.id, reason, item.seconds, selection=True)
        if fault:
            listed.exclusions.add(fault)
            continue
        numbers.append(number)
        ranks.append(_rank(listed.recipe.seed, item.id))
        seconds.append(item.seconds)
    return UsableDataset(
        listed,
        checked.utterances,
        checked.feature_size,
        np.frombuffer(numbers, np.uint64),
        np.frombuffer(ranks, np.uint64),
        np.frombuffer(seconds, np.float64),
        len(numbers),
    )


def _listing(dataset: Dataset, request: CorpusRequest) -> Iterator[Utterance | Excluded]:
    """Yield what the corpus lists; raise `UserError` at the end if an id appeared twice."""
    digests = array("Q")
    for item in split.select(corpus.listing(dataset.corpus, request), dataset.split):
        digests.append(short_digest(item.id))
        yield item
    distinct, counts = np.unique(np.frombuffer(digests, np.uint64), return_counts=True)
    repeated = set(distinct[counts > 1].tolist())
    for item in corpus.listing(dataset.corpus, request) if repeated else ():
        if short_digest(item.id) in repeated:
            where = request.path or f"Corpus '{dataset.corpus}'"
            raise UserError(
                f"{where} lists the utterance '{item.id}' twice. Remove one from its list, or give"
                f" it another id."
            )


CheckResult = tuple[CheckedUtterance | Excluded, Path | None, Digest]


def _check(chunk: list[tuple[Utterance | Excluded, Rules]]) -> list[CheckResult]:
    """In a worker process: the result of each item, its file if it has one, the file's digest."""
    results: list[CheckResult] = []
    for item, rules in chunk:
        if isinstance(item, Excluded):
            results.append((item, None, ABSENT))
        else:
            workers.working_on(item.id)
            try:
                item = _found(item)
            except UserError as error:
                results.append((Excluded(item.id, str(error)), None, ABSENT))
                continue
            result, known = check_utterance(item, rules)
            results.append((result, item.audio, known))
    return results


def _found(item: Utterance) -> Utterance:
    """Return the utterance with its audio as the disk names it; raises `UserError`."""
    audio = on_disk(item.audio)
    if audio == item.audio:
        return item
    features = item.features and str(audio) + item.features.removeprefix(str(item.audio))
    return replace(item, audio=audio, features=features)


def _rank(seed: int, utterance: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed} {utterance}".encode()).digest()[:8])

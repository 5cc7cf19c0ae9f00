"""The checks of stage 0 between utterances, of one data set and of several.

`Fingerprints` keep 58 bytes of an utterance: digests of 64 bits in place of names and texts.
"""

import hashlib
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence, Set

import numpy as np

from cascade.config.sections import Language
from cascade.data.utterance_checks import CheckedUtterance
from cascade.text.words import folded

CLIPPED = 0.002  # share of samples at full scale from which clipping is heard
SHOWN = 3  # utterances that a warning names
ALL_CHANNELS = -1
EDGE = 0.01  # seconds; what overlaps by less is due to rounding
PADDING = 0.5  # seconds by which neighbours may overlap, at most half of an utterance
# The utterances of a data set, by its key and their numbers.
Pick = Callable[[str, Sequence[int]], list[CheckedUtterance]]


def short_digest(*parts: object) -> int:
    """Return a digest of 64 bits. Of a million different ones, two agree once in 37 million runs.

    >>> short_digest("ru_0001") == short_digest("ru_0001") != short_digest("ru", "0001")
    True
    """
    data = "\0".join(map(str, parts)).encode("utf-8", "surrogateescape")
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest())


class Fingerprints:
    """What the checks need of a data set: columns of one value an utterance.

    ``language`` is that of the transcripts.
    """

    def __init__(self, language: Language) -> None:
        self.language = language
        self.numbers = array("Q")  # in the data set's file of utterances
        self.sentences = array("Q")
        self.speakers = array("Q")  # 0: unknown
        self.recordings = array("Q")  # content of the audio file, and the place in it
        self.files = array("Q")  # name of the audio file
        self.channels = array("h")
        self.starts = array("d")
        self.ends = array("d")
        self.clipped: list[int] = []  # numbers of the first few
        self.clipped_count = 0

    def add(self, number: int, item: CheckedUtterance) -> None:
        known = item.speaker != "unknown"
        where = item.features or item.start
        self.numbers.append(number)
        self.sentences.append(short_digest(*folded(item.words, self.language)))
        self.speakers.append(short_digest(item.speaker) if known else 0)
        self.recordings.append(short_digest(item.digest, where, item.channel))
        self.files.append(short_digest(item.audio, item.features))
        self.channels.append(ALL_CHANNELS if item.channel is None else item.channel)
        self.starts.append(item.start)
        self.ends.append(item.start + item.seconds)
        if item.clipped > CLIPPED:
            self.clipped_count += 1
            self.clipped += [number] * (len(self.clipped) < SHOWN)

    def __len__(self) -> int:
        return len(self.numbers)

    def speaker_count(self) -> int:
        """Count the speakers who are known by name."""
        return len(np.setdiff1d(_values(self, "speakers"), 0))

    def unknown_speakers(self) -> int:
        """Count the utterances whose speakers are not known by name."""
        return self.speakers.count(0)

    def shared(self, column: str, others: Iterable["Fingerprints"]) -> list[int]:
        """Return the numbers of utterances whose value in ``column`` is also in ``others``."""
        theirs = np.concatenate([np.zeros(0, np.uint64), *(_values(o, column) for o in others)])
        own = _values(self, column)
        return _values(self, "numbers")[np.isin(own, theirs) & (own != 0)].tolist()

    def heard_in(self, others: Iterable["Fingerprints"]) -> list[int]:
        """Return the numbers of utterances that share speech with one of ``others``.

        They overlap with it in a file, or are at the same place of a file of the same content.
        """
        others = list(others)
        return sorted({*self.overlapping_with(others), *self.shared("recordings", others)})

    def overlapping_with(
        self, others: Iterable["Fingerprints"], allowed: float = EDGE
    ) -> list[int]:
        """Return the numbers of utterances that overlap in a file with one of ``others``.

        Without a channel an utterance has all of them. An overlap of ``allowed`` seconds, or of
        half of the utterance if that is less, does not count.
        """
        columns = ("files", "starts", "ends", "channels")
        sets = [[_values(one, column) for column in columns] for one in (self, *others)]
        files, starts, ends, channels = (np.concatenate(c) for c in zip(*sets, strict=True))
        # Puts recordings one after the other.
        offset = np.unique(files, return_inverse=True)[1] * (ends.max(initial=0.0) + 1.0)
        starts, ends = starts + offset, ends + offset
        theirs, own = slice(len(self), None), slice(len(self))
        edge = np.minimum(allowed, (ends - starts)[own] / 2)
        overlaps = np.zeros(len(self), bool)
        for channel in np.unique(channels[own]):
            heard = np.isin(channels[theirs], (channel, ALL_CHANNELS)) | (channel == ALL_CHANNELS)
            order = np.argsort(starts[theirs][heard], kind="stable")
            latest_end = np.maximum.accumulate(ends[theirs][heard][order])
            # The last of the others that begins before an utterance ends, and those before it.
            before = np.searchsorted(starts[theirs][heard][order], ends[own] - edge)
            late = np.append(-np.inf, latest_end)[before] > starts[own] + edge
            overlaps |= late & (channels[own] == channel)
        return _values(self, "numbers")[overlaps].tolist()

    def overlapping(self) -> list[int]:
        """Return the numbers of utterances that begin before another one in the file has ended."""
        columns = ("files", "channels", "starts", "ends")
        files, channels, starts, ends = (_values(self, column) for column in columns)
        order = np.lexsort((starts, channels, files))
        files, channels, starts, ends = (c[order] for c in (files, channels, starts, ends))
        new = np.diff(files, prepend=files[:1]) != 0
        group = np.cumsum(new | (np.diff(channels, prepend=channels[:1]) != 0))
        offset = group * (ends.max(initial=0.0) + 1.0)  # puts recordings one after the other
        latest_end = np.maximum.accumulate(ends + offset)  # of an utterance and all before it
        late = np.zeros(len(order), bool)
        late[1:] = (starts + offset)[1:] < latest_end[:-1] - 0.01
        late[1:] &= group[1:] == group[:-1]
        return np.sort(_values(self, "numbers")[order[late]]).tolist()


def _values(fingerprints: Fingerprints, column: str) -> np.ndarray:
    values = getattr(fingerprints, column)
    types = {"d": np.float64, "h": np.int16, "Q": np.uint64}
    return np.frombuffer(values, dtype=types[values.typecode])


def overlap_warnings(
    datasets: Mapping[str, Fingerprints], roles: Mapping[str, str], target: Set[str], pick: Pick
) -> list[str]:
    """Return what the user should know of data sets that pass, one sentence each.

    ``roles`` gives the role of each data set; ``target`` has the keys of those of the target
    language. Its valid and test sets should share neither sentences nor speakers with its training,
    recordings with no training, and recordings with each other.
    """
    training = [one for key, one in datasets.items() if roles[key].startswith("train")]
    with_texts = [key for key in datasets if roles[key] in ("train", "train_ext")]
    trained = [datasets[key] for key in with_texts if key in target]
    valid = [one for key, one in datasets.items() if roles[key] == "valid"]
    sentences = []
    for key, own in datasets.items():

        def warn(numbers: Sequence[int], count: int, what: str, key: str = key) -> None:
            if count:
                names = ", ".join(item.id for item in pick(key, numbers[:SHOWN]))
                rest = f" and {count - SHOWN} more" if count > SHOWN else ""
                verb = "is" if count == 1 else "are"
                sentences.append(f"{key}: {names}{rest} {verb} {what}")

        warn(own.clipped, own.clipped_count, "clipped: record with less gain")
        late = own.overlapping()
        warn(late, len(late), "begun before another segment has ended")
        if roles[key] not in ("valid", "test"):
            continue
        same = own.shared("sentences", trained)
        warn(same, len(same), "the same sentence as one of the training")
        copies = own.shared("recordings", training)
        warn(copies, len(copies), "the same recording as one of the training")
        if roles[key] == "test":
            chosen = own.heard_in(valid)
            warn(chosen, len(chosen), "also in valid, which chooses the models: use other speech")
        if speakers := _shared_speakers(key, own, trained, pick):
            sentences.append(f"{key}: {speakers}")
    return sentences


def _shared_speakers(
    key: str, own: Fingerprints, trained: Sequence[Fingerprints], pick: Pick
) -> str:
    """Say which speakers are also in the training; "" if there are none."""
    numbers = np.array(own.shared("speakers", trained), np.uint64)
    rows = np.searchsorted(_values(own, "numbers"), numbers)
    distinct, first = np.unique(_values(own, "speakers")[rows], return_index=True)
    if not len(distinct):
        return ""
    examples = pick(key, numbers[np.sort(first)[:SHOWN]].tolist())
    names = ", ".join(sorted(item.speaker for item in examples))
    count = "a speaker is" if len(distinct) == 1 else f"{len(distinct)} speakers are"
    return f"{count} also in the training: {names}"


def shared_recordings(
    datasets: Mapping[str, Fingerprints], roles: Mapping[str, str], pick: Pick
) -> list[str]:
    """Return the reasons to stop: speech that is both in a training set and in another set.

    ``roles`` gives the role of each data set. Neighbours in a recording may overlap by `PADDING`.
    """
    reasons = []
    keys = list(datasets)
    for i, key in enumerate(keys):
        for other in keys[:i]:
            if not any(roles[k].startswith("train") for k in (key, other)):
                continue
            numbers = datasets[key].overlapping_with([datasets[other]], PADDING)[:SHOWN]
            for item in pick(key, numbers):
                reasons.append(f"{item.id} ({item.audio}) is both in {other} and {key}.")
    return reasons

"""The checks of stage 0 between utterances, of one data set and of several.

`Fingerprints` keep 64 bytes of an utterance: digests of 64 bits in place of names and texts.
"""

import hashlib
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from cascade.data.utterance_checks import CheckedUtterance

CLIPPED = 0.002  # share of samples at full scale from which clipping is heard
SHOWN = 3  # utterances that a warning names
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

    A column that begins with "0 for" has no value for such utterances.
    """

    def __init__(self) -> None:
        self.numbers = array("Q")  # in the data set's file of utterances
        self.sentences = array("Q")
        self.speakers = array("Q")  # 0 for an unknown one
        self.recordings = array("Q")  # content of the audio file, and the place in it
        self.places = array("Q")  # name of the audio file, and the place in it
        self.files = array("Q")
        self.starts = array("d")
        self.ends = array("d")
        self.clipped: list[int] = []  # numbers of the first few
        self.clipped_count = 0

    def add(self, number: int, item: CheckedUtterance) -> None:
        known = item.speaker != "unknown"
        where = item.features or item.start
        self.numbers.append(number)
        self.sentences.append(short_digest(*item.words))
        self.speakers.append(short_digest(item.speaker) if known else 0)
        self.recordings.append(short_digest(item.digest, where, item.channel))
        self.places.append(short_digest(item.audio, where, item.channel))
        self.files.append(short_digest(item.audio, item.features, item.channel))
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
        columns = ("files", "starts", "ends")
        sets = [[_values(one, column) for column in columns] for one in (self, *others)]
        files, starts, ends = (np.concatenate(column) for column in zip(*sets, strict=True))
        # Puts recordings one after the other.
        offset = np.unique(files, return_inverse=True)[1] * (ends.max(initial=0.0) + 1.0)
        own = len(self)
        order = np.argsort((starts + offset)[own:], kind="stable")
        begins = (starts + offset)[own:][order]
        latest_end = np.maximum.accumulate((ends + offset)[own:][order])
        # The last of the others that begins before an utterance ends, and those before it.
        before = np.searchsorted(begins, (ends + offset)[:own] - 0.01)
        latest = np.append(-np.inf, latest_end)[before]
        overlapping = _values(self, "numbers")[latest > (starts + offset)[:own] + 0.01].tolist()
        return sorted({*overlapping, *self.shared("recordings", others)})

    def overlapping(self) -> list[int]:
        """Return the numbers of utterances that begin before another one in the file has ended."""
        files, starts, ends = (_values(self, c) for c in ("files", "starts", "ends"))
        order = np.lexsort((starts, files))
        files, starts, ends = files[order], starts[order], ends[order]
        group = np.cumsum(np.diff(files, prepend=files[:1]) != 0)
        offset = group * (ends.max(initial=0.0) + 1.0)  # puts recordings one after the other
        latest_end = np.maximum.accumulate(ends + offset)  # of an utterance and all before it
        late = np.zeros(len(order), bool)
        late[1:] = (starts + offset)[1:] < latest_end[:-1] - 0.01
        late[1:] &= group[1:] == group[:-1]
        return np.sort(_values(self, "numbers")[order[late]]).tolist()


def _values(fingerprints: Fingerprints, column: str) -> np.ndarray:
    values = getattr(fingerprints, column)
    return np.frombuffer(values, dtype=np.float64 if values.typecode == "d" else np.uint64)


def overlap_warnings(
    datasets: Mapping[str, Fingerprints], training: Iterable[str], pick: Pick
) -> list[str]:
    """Return what the user should know of data sets that pass, one sentence each.

    ``training`` has the keys of the data sets that the target is trained on. The target's
    valid and test sets should share neither sentences nor speakers nor recordings with them.
    """
    trained = [datasets[key] for key in training if key in datasets]
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
        if own in trained or not key.startswith(("valid", "test")):
            continue
        same = own.shared("sentences", trained)
        warn(same, len(same), "the same sentence as one of the training")
        copies = own.shared("recordings", trained)
        warn(copies, len(copies), "the same recording as one of the training")
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
    """Return the reasons to stop: recordings that are both in a training set and in another set.

    ``roles`` gives the role of each data set.
    """
    reasons = []
    keys = list(datasets)
    for i, key in enumerate(keys):
        for other in keys[:i]:
            if not any(roles[k].startswith("train") for k in (key, other)):
                continue
            for item in pick(key, datasets[key].shared("places", [datasets[other]])[:SHOWN]):
                reasons.append(f"{item.id} ({item.audio}) is both in {other} and {key}.")
    return reasons

"""The checks of stage 0 between utterances: of a data set, and of data sets with each other.

Of an utterance it keeps 64 bytes, digests of 64 bits in place of names and sentences.
"""

import hashlib
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from cascade.data.utterance_checks import Checked

CLIPPED = 0.002  # share of samples at full scale that one begins to hear
SHOWN = 3  # utterances that a warning names
Named = Callable[[str, Sequence[int]], list[Checked]]  # utterances of a data set by number


def short(*parts: object) -> int:
    """64 bits that stand for ``parts``: two of a million differ but once in 30 million runs."""
    data = "\0".join(map(str, parts)).encode("utf-8", "surrogateescape")
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest())


class Traits:
    """What the checks need of a data set: a value an utterance, in the order of adding."""

    def __init__(self) -> None:
        self.numbers = array("Q")  # in the data set's spool
        self.sentences = array("Q")
        self.speakers = array("Q")  # 0 for one who is not known
        self.copies = array("Q")  # what is in the recording's file, and where
        self.places = array("Q")  # which file, and where
        self.files = array("Q")
        self.starts = array("d")
        self.ends = array("d")
        self.clipped: list[int] = []  # numbers of the first few
        self.clipped_count = 0

    def add(self, number: int, item: Checked) -> None:
        known = item.speaker != "unknown"
        where = item.features or item.start
        self.numbers.append(number)
        self.sentences.append(short(*item.words))
        self.speakers.append(short(item.speaker) if known else 0)
        self.copies.append(short(item.digest, where, item.channel))
        self.places.append(short(item.audio, where, item.channel))
        self.files.append(short(item.audio, item.features, item.channel))
        self.starts.append(item.start)
        self.ends.append(item.start + item.seconds)
        if item.clipped > CLIPPED:
            self.clipped_count += 1
            self.clipped += [number] * (len(self.clipped) < SHOWN)

    def __len__(self) -> int:
        return len(self.numbers)

    def speaker_count(self) -> int:
        """How many speakers are known by name."""
        return len(np.setdiff1d(_values(self, "speakers"), 0))

    def in_(self, column: str, others: Iterable["Traits"]) -> np.ndarray:
        """The numbers of utterances whose ``column`` one of ``others`` has, too."""
        known = np.concatenate([np.zeros(0, np.uint64), *(_values(o, column) for o in others)])
        mine = _values(self, column)
        return _values(self, "numbers")[np.isin(mine, known) & (mine != 0)]

    def overlapping(self) -> np.ndarray:
        """The numbers of utterances begun before another one of their recording has ended."""
        files, starts, ends = (_values(self, c) for c in ("files", "starts", "ends"))
        order = np.lexsort((starts, files))
        files, starts, ends = files[order], starts[order], ends[order]
        group = np.cumsum(np.diff(files, prepend=files[:1]) != 0)
        far = group * (ends.max(initial=0.0) + 1.0)  # sets recordings one after the other
        ended = np.maximum.accumulate(ends + far)  # of all before, in the same recording
        late = np.zeros(len(order), bool)
        late[1:] = (starts + far)[1:] < ended[:-1] - 0.01
        late[1:] &= group[1:] == group[:-1]
        return np.sort(_values(self, "numbers")[order[late]])


def _values(traits: Traits, column: str) -> np.ndarray:
    values = getattr(traits, column)
    return np.frombuffer(values, dtype=np.float64 if values.typecode == "d" else np.uint64)


def warnings(sets: Mapping[str, Traits], training: Iterable[str], named: Named) -> list[str]:
    """What a user should know of data sets that pass: a sentence each.

    ``training`` names those of ``sets`` that the target is trained on; the others of the
    same language, which judge it, should share neither sentences nor speakers with them.
    """
    trained = [sets[key] for key in training if key in sets]
    found = []
    for key, traits in sets.items():

        def say(numbers: Sequence[int], count: int, what: str, key: str = key) -> None:
            if count:
                names = ", ".join(item.id for item in named(key, numbers[:SHOWN]))
                more = f" and {count - SHOWN} more" if count > SHOWN else ""
                verb = "is" if count == 1 else "are"
                found.append(f"{key}: {names}{more} {verb} {what}")

        say(traits.clipped, traits.clipped_count, "clipped: record with less gain")
        late = traits.overlapping()
        say(late, len(late), "begun before another segment has ended")
        if traits in trained or not key.startswith(("valid", "test")):
            continue
        known = traits.in_("sentences", trained)
        say(known, len(known), "the same sentence as one of the training")
        copies = traits.in_("copies", trained)
        say(copies, len(copies), "the same recording as one of the training")
        heard = _speakers(key, traits, trained, named)
        if heard:
            found.append(f"{key}: {heard}")
    return found


def _speakers(key: str, traits: Traits, trained: Sequence[Traits], named: Named) -> str:
    """Which speakers are in the training, too; "" for none."""
    shared = traits.in_("speakers", trained)
    position = np.searchsorted(_values(traits, "numbers"), shared)
    distinct, first = np.unique(_values(traits, "speakers")[position], return_index=True)
    names = ", ".join(
        sorted(item.speaker for item in named(key, shared[np.sort(first)[:SHOWN]].tolist()))
    )
    count = "a speaker is" if len(distinct) == 1 else f"{len(distinct)} speakers are"
    return f"{count} in the training, too: {names}" if len(distinct) else ""


def trained_on(sets: Mapping[str, Traits], roles: Mapping[str, str], named: Named) -> list[str]:
    """The reasons to stop: recordings both trained on and in another data set.

    ``roles`` gives the role of each of ``sets``.
    """
    found = []
    keys = list(sets)
    for i, key in enumerate(keys):
        for other in keys[:i]:
            if not any(roles[k].startswith("train") for k in (key, other)):
                continue
            for item in named(key, sets[key].in_("places", [sets[other]])[:SHOWN].tolist()):
                found.append(f"{item.id} ({item.audio}) is both in {other} and {key}.")
    return found

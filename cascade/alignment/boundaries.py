"""Where phones begin and end: hidden Markov models near the places that the network shows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import kaldifst
import numpy as np

from cascade.alignment.forced_path import ForcedPath, best_path
from cascade.alignment.phone_models import SILENCE, STATES, PhoneModels, cepstra

BEFORE, AFTER = 40, 30  # frames of a phone at most before and after the step that shows it
LONGEST = 3000  # frames that are searched at once, unless nobody pauses
BEAM = 5e4  # a good path may be the worse one for many frames
OUTSIDE = np.float32(-1e5)  # the score of a phone where it cannot be

Span = tuple[int, int]  # the first frame of a phone, and the one after its last


@dataclass(frozen=True)
class Chain:
    """The states of a text in order, with silence before, between and after words.

    Attributes:
        states: (S,) Numbers of states of phone models.
        owners: (S,) The phone that each belongs to, by its place in the text; -1 for silence.
    """

    states: np.ndarray
    owners: np.ndarray


def chain(phones: Sequence[int], ends: Sequence[int]) -> Chain:
    """Return the chain of ``phones``, of which ``ends`` are at an end of a word.

    >>> chain([7], [1]).states.tolist()
    [0, 1, 2, 21, 22, 23, 0, 1, 2]
    """
    units, owners, last = [SILENCE], [-1], set(ends)
    for place, phone in enumerate(phones):
        units.append(phone)
        owners.append(place)
        if place + 1 in last:
            units.append(SILENCE)
            owners.append(-1)
    states = (STATES * np.array(units)[:, None] + np.arange(STATES)).ravel()
    return Chain(states, np.repeat(owners, STATES))


def align_chain(scores: np.ndarray, line: Chain) -> list[int] | None:
    """Return the place in the chain for each frame of its best path; None if there is none.

    ``scores`` (T, S) float32 are of the chain's states. Silence may be left out.
    """
    graph = kaldifst.StdVectorFst()
    count = len(line.states)
    for _ in range(count + 1):
        graph.add_state()
    graph.start = 0  # state s: the path is at s - 1 of the chain
    for place in range(count):
        begins = place % STATES == 0
        sources = [place, place + 1]
        if begins and place >= STATES and line.owners[place - 1] < 0:
            sources.append(place - STATES)  # past the silence
        for source in sources:
            graph.add_arc(source, kaldifst.StdArc(place + 1, 0, 0.0, place + 1))
    graph.set_final(count, 0.0)
    if line.owners[-1] < 0:
        graph.set_final(count - STATES, 0.0)
    found = best_path(graph, np.ascontiguousarray(scores, np.float32), BEAM)
    return None if found is None else found[0]


def spans(models: PhoneModels, energies: np.ndarray, path: ForcedPath, stack: int) -> list[Span]:
    """Return the frames of each phone of ``path``.

    ``energies`` (T, C) are log-mel, ``stack`` frames of them are a step of the path. A recording
    is searched in parts that begin and end within pauses. Where the models find no way, a phone
    ends half way between the steps that show it and the next one.
    """
    frames: list[Span] = []
    mean = energies.mean(axis=0)
    peaks = [stack * (begin + end) / 2 for begin, end in path.runs]
    for first, last, begin, end in parts(path, peaks, len(energies)):
        phones = path.phones[first:last]
        ends = [place - first for place in path.ends if first < place <= last]
        line = chain(phones, ends)
        features = cepstra(energies[begin:end], mean)
        scores = models.log_likelihoods(features, line.states.tolist())
        near = windows(np.array(peaks[first:last]) - begin, line, end - begin)
        places = align_chain(np.where(near, scores, OUTSIDE), line)
        if places is None:
            frames += _halves(peaks[first:last], begin, end)
            continue
        owners = line.owners[places]
        for place in range(len(phones)):
            where = np.flatnonzero(owners == place)
            frames.append((begin + int(where[0]), begin + int(where[-1]) + 1))
    return frames


def windows(peaks: np.ndarray, line: Chain, frames: int) -> np.ndarray:
    """Return (T, S): whether a state can be at a frame, by the peak of its phone.

    Silence can be anywhere.
    """
    place = np.maximum(line.owners, 0)
    away = np.arange(frames)[:, None] - peaks[place]  # (T, S)
    inside: np.ndarray = (line.owners < 0) | ((away >= -BEFORE) & (away <= AFTER))
    return inside


def parts(
    path: ForcedPath, peaks: Sequence[float], frames: int
) -> Iterator[tuple[int, int, int, int]]:
    """Yield first and last phone, begin and end in frames of parts of a recording.

    They end between words, in the longest pause that leaves neither too long nor too short a part.
    """
    first, begin = 0, 0
    gaps = path.ends[:-1]
    while frames - begin > LONGEST:
        near = [
            end
            for end in gaps
            if end > first
            and begin + LONGEST // 3 <= peaks[end - 1]
            and peaks[end] <= begin + LONGEST
        ] or [end for end in gaps if end > first and peaks[end] > begin + LONGEST // 3][:1]
        if not near:
            break
        last = max(near, key=lambda end: peaks[end] - peaks[end - 1])
        middle = int(peaks[last - 1] + peaks[last]) // 2
        yield first, last, begin, middle
        first, begin = last, middle
    yield first, len(path.phones), begin, frames


def _halves(peaks: Sequence[float], begin: int, end: int) -> list[Span]:
    middles = [int(a + b) // 2 for a, b in pairwise(peaks)]
    edges = [begin, *middles, end]
    return list(pairwise(edges))

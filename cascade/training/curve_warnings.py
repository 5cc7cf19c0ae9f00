"""Plain words for learning curves that look wrong."""

from collections.abc import Mapping, Sequence
from typing import Any

BLANKS = (99.5, 100)  # per cent PER: the network answers blanks only; insertions make it more
PATIENCE = 0.3  # of the steps, before blanks are worth a word
RISE = 1.15  # of the lowest loss on valid


def hint(history: Sequence[Mapping[str, Any]], steps: int) -> str | None:
    """What to say of a training after its last validation, if it looks wrong.

    ``history`` has the rows of ``train.jsonl``, ``steps`` is the length of the whole
    training. The same is said once: when it becomes true.
    """
    before, now = _state(history[:-1], steps), _state(history, steps)
    return now if now != before else None


def _state(history: Sequence[Mapping[str, Any]], steps: int) -> str | None:
    if not history:
        return None
    last = history[-1]
    if BLANKS[0] <= last["valid_per"] <= BLANKS[1] and last["step"] >= PATIENCE * steps:
        return (
            "it still answers blanks only. Try smaller batches (train.batch_seconds), more"
            " steps, less augmentation; or the transcripts do not belong to the recordings"
        )
    lowest = min(row["valid_loss"] for row in history)
    first = history[0]["loss"]
    both = [name for name in first if first[name] and last["loss"].get(name)]
    learning = all(last["loss"][name] < first[name] for name in both)
    if last["valid_loss"] > RISE * lowest and learning:
        return (
            "the loss on valid rises while that on the training speech falls: it learns by"
            " heart. Try more train.dropout or augmentation, or fewer steps"
        )
    return None

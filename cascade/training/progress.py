"""What a training reports: after every step, and at its end."""

from dataclasses import dataclass
from typing import Any


@dataclass
class Progress:
    """What a training reports after a step: losses in nats a phone, PER on valid in per cent.

    ``norm`` is that of the gradient before it is clipped, ``utterances`` how many the step had,
    ``waited`` the seconds that it waited for its batches. ``row`` is that of ``train.jsonl`` if
    the step was followed by a validation.
    """

    step: int
    steps: int
    epoch: int
    losses: dict[str, float]
    per: float | None
    best: float | None
    message: str | None = None
    learning_rate: float = 0.0
    norm: float = 0.0
    utterances: int = 0
    waited: float = 0.0
    row: dict[str, Any] | None = None


@dataclass(frozen=True)
class Done:
    """What a training reports at the end: the step and the PER on valid of its model."""

    step: int
    per: float
    model_bytes: int

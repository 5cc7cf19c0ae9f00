"""The sections of a recipe that describe networks and their training.

The documentation's page of keys is generated from this module, as from `cascade.config.sections`.
"""

from dataclasses import dataclass, field
from typing import Any

from cascade.config.schema import sets, within

AUTO = "auto"  # a weight that is measured


@dataclass(frozen=True)
class Augment:
    """Random changes of the training features.

    Attributes:
        stretch: Stretch the time axis by a factor of 1 ± this.
        warp: Shift the filter axis up or down by up to this many filters.
        channel: Add a smooth random curve over the filters, as another microphone would. Its
            size in nats.
        time_masks: How many stretches of time are masked (SpecAugment, arXiv:1904.08779).
        time_width: The longest such mask, in stacked frames.
        filter_masks: How many bands of filters are masked (SpecAugment).
        filter_width: The widest such mask, in filters.
        ramp: Augmentation grows from nothing to full over this share of the steps. CTC finds
            its first alignments far sooner in unchanged speech.
        utterance_mean: For ``features.cmn: online``: the share of utterances from which the mean of
            the complete utterance is subtracted, in place of the running mean.
    """

    stretch: float = within(0.1, 0, 0.5)
    warp: float = within(1.0, 0, 8)
    channel: float = within(1.0, 0, 10)
    time_masks: int = within(2, 0)
    time_width: int = within(10, 0)
    filter_masks: int = within(2, 0)
    filter_width: int = within(8, 0)
    ramp: float = within(0.3, 0, 1)
    utterance_mean: float = within(0.0, 0, 1)


@dataclass(frozen=True)
class Train:
    """How a system is trained.

    Attributes:
        steps: How many steps the training has. A system's own ``steps``, and those of the
            command line, replace the recipe's ``epochs``.
        epochs: How many times the target's speech is used. Replaces ``steps``.
        batch_seconds: Seconds of speech that a step takes from each language.
        learning_rate: The highest learning rate. It grows to it, and then falls to nothing at
            the last step.
        warmup: The share of the steps in which the learning rate grows.
        weight_decay: The weight decay of AdamW.
        dropout: The share of values that dropout leaves out between layers.
        clip: The longest gradient. A longer one is scaled down to it.
        tie: Pulls the parts that languages have of their own towards each other: this times
            the sum of squared differences is added to the loss. 0: they are independent.
        seconds: Seconds of speech that a step takes from a language or stream, in place of
            ``batch_seconds``: ``{en: 20}``.
        weights: A factor for the loss of a language or stream: ``{en: 0.2}``. Default: 1. Those
            with ``auto`` get one factor for all of them, with which their gradient is as long as
            the target's. It is measured in the training (``train.jsonl``).
        active: The part of the steps in which a language or stream takes part: ``{en: [0, 0.8]}``
            leaves the last fifth to the others. Default: ``[0, 1]``.
        valid_every: Every so many steps the network is measured on valid. The best one is kept.
        checkpoint_every: The time between two checkpoints, such as ``60s``. Changes no result.
        workers: How many processes read, augment and pad batches ahead of the training step. 0:
            the training does it itself. Changes no result. Default: for a GPU the processes of
            ``--nj`` that train nothing, up to 4 for each training. Otherwise, and under
            torchrun or on a cluster, 0. A CPU gains nothing by them.
        shuffled_shards: In what order the speech is read. 0: all of it is shuffled, so each
            utterance is read from another place of the disk. Otherwise the archives of features
            (*shards*, of 500 utterances each) are shuffled, and so many are mixed at a time: 16
            are 11 hours of utterances of 5 s. They are read ahead, one after the other, which a
            hard disk or a network does much faster.
        accumulate: How many batches of ``batch_seconds`` a step takes one after the other, with
            one update for all of them. The result is that of one batch as large as all, where
            the memory of a GPU has no room for that.
        batch_ramp: Batches grow to their full size over this share of the steps: an eighth of it in
            the first third, then a quarter, then half. For batches of hundreds of seconds: at the
            beginning many small steps learn more than few large ones. 0: full from the start.
        loss: ``exact``: the CTC loss on the CPU, the same from run to run. ``pytorch``:
            PyTorch's, in float32, which on a GPU is not the same from run to run. ``auto``:
            ``pytorch`` on a GPU, else ``exact``.
        precision: ``float32``, or ``bfloat16``: matrix products of 16 bits, on a processor
            with AVX-512 or on a GPU. Weights, losses and models stay ``float32``. It is faster
            only on hardware with such arithmetic and with large batches
            (``tests/bench/train.sh`` measures it). ``tf32``: products of 19 bits, on a GPU of
            NVIDIA.
        consistency: Trains on two augmented copies of each utterance, and adds this times the
            divergence of their outputs to the loss (CR-CTC, arXiv:2410.05101, which uses 0.2).
            A step takes twice as long. 0: one copy.
        min_confidence: For a system with a ``teacher``. Utterances whose words have a lower mean
            confidence are left out. 0 keeps all in which a word was recognised. No word has
            more than 0.95, as paths that the search has dropped might be right, too.
        augment: Random changes of the features. Keys: see ``Augment``.
        augment_of: Changes of ``augment`` for a language or stream: ``{en: {warp: 1}}``.
    """

    steps: int = within(4000, 1)
    epochs: int | None = within(None, 1)
    batch_seconds: float = within(40.0, 0.1)
    learning_rate: float = within(0.003, 1e-9, 10)
    warmup: float = within(0.1, 0, 1)
    weight_decay: float = within(0.0, 0)
    dropout: float = within(0.3, 0, 0.95)
    clip: float = within(5.0, 1e-9)
    tie: float = within(0.0, 0)
    seconds: dict[str, float] = field(default_factory=dict)
    weights: dict[str, float | str] = field(default_factory=dict)
    active: dict[str, tuple[float, ...]] = field(default_factory=dict)
    valid_every: int = within(200, 1)
    checkpoint_every: str = "60s"
    workers: int | None = within(None, 0, 64)
    shuffled_shards: int = within(0, 0, 100_000)
    accumulate: int = within(1, 1, 1000)
    batch_ramp: float = within(0.0, 0, 1)
    loss: str = "auto"
    precision: str = "float32"
    consistency: float = within(0.0, 0)
    min_confidence: float = within(0.5, 0, 0.95)
    augment: Augment = field(default_factory=Augment)
    augment_of: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def checkpoint_seconds(self) -> float:
        """``checkpoint_every`` in seconds."""
        return float(self.checkpoint_every.removesuffix("s"))


@dataclass(frozen=True)
class Adapt:
    """How a copy of a network adapts to each speaker of a test set with ``adapt``.

    The speech is changed at random as in training (``train.augment``).

    Attributes:
        epochs: How many times the speaker's speech is used.
        learning_rate: The learning rate of the first step. It falls to nothing at the last one.
        batch_seconds: Seconds of speech of a step.
        min_seconds: Speakers of whom less is recognised are not adapted to.
    """

    epochs: int = within(10, 1)
    learning_rate: float = within(0.001, 1e-9, 10)
    batch_seconds: float = within(40.0, 0.1)
    min_seconds: float = within(10.0, 0)


@dataclass(frozen=True)
class System:
    """A network to train.

    One number in ``layers`` trains it on the target only. Two numbers, or ``share: all``, train
    it on the target and on the languages of role ``train_ext``.

    Attributes:
        layers: The number of layers: ``[4]`` for one stack, ``[2, 2]`` for two lower and
            two upper ones. With ``share: lower``, ``[4, 0]`` shares all layers, and each
            language has its own output layer.
        neurons: The size of each layer. Of a ``blstm``: of each direction, so that a frame has
            twice as many outputs. Of a ``conformer``: the outputs of a block; the middle of its
            feed-forward modules has four times as many.
        encoder: The kind of the layers. ``lstm``: unidirectional, the only one that recognises
            while somebody speaks. ``blstm``: bidirectional LSTMs. ``conformer``: Conformer
            blocks (arXiv:2005.08100). Default: the recipe's ``encoder``.
        share: What the languages have in common: the ``upper`` layers (the cascade), the
            ``lower`` layers, or ``all``.
        languages: Train on these languages or streams only, beside the target's own. Default:
            all of role ``train_ext``; with a ``teacher``, all of role ``train_untranscribed``, too.
        pool: Streams of the target language whose speech joins the target's own: one data
            iterator, no separate batches. The network that a stream is compared with.
        teacher: Another system of the recipe. It recognises the speech of role
            ``train_untranscribed``, with its search for words, and this system trains on these
            words as on transcripts.
        start: Start from the weights of another system of the recipe, of a model's folder, or of
            a bundle (a path with a ``/``). Phones that the model lacks are new outputs.
        freeze: Parts that keep the weights of ``start``: ``norm``, ``layer1``, ``layer2``, ...,
            ``output``.
        train: Keys of ``train`` that differ for this system.
        cascade: Whether it is trained on several languages. The keys above say so already: leave
            it out. Older recipes have it.
    """

    layers: tuple[int, ...]
    neurons: int = within(100, 1)
    encoder: str | None = None
    share: str = "upper"
    languages: tuple[str, ...] = ()
    pool: tuple[str, ...] = ()
    teacher: str | None = None
    start: str | None = None
    freeze: tuple[str, ...] = ()
    train: dict[str, Any] = field(default_factory=dict)
    cascade: bool | None = None

    def __post_init__(self) -> None:
        """Sets ``cascade`` where the recipe leaves it out: settings are equal with and without."""
        if self.cascade is None:
            object.__setattr__(self, "cascade", self.multilingual)

    @property
    def multilingual(self) -> bool:
        """Whether it is trained on other languages beside the target."""
        return len(self.layers) > 1 or self.share != "upper" or bool(self.languages)

    def has_own(self, key: str) -> bool:
        """Return whether ``key`` of the recipe, such as ``train.dropout``, does not reach it.

        It has its own value then. ``steps`` and ``epochs`` replace each other.
        """
        section, *path = key.split(".")
        if key == "encoder":
            return self.encoder is not None
        if section != "train" or not path:
            return False
        lengths = ("steps", "epochs")
        paths = [[name] for name in lengths] if path[0] in lengths else [path]
        return any(sets(self.train, one) for one in paths)

"""The sections of a recipe: what each key means, its bounds and its default."""

from dataclasses import dataclass, field
from typing import Any

from cascade.config.schema import within


@dataclass(frozen=True)
class Language:
    """A language: how its text is written and where its pronunciations come from.

    ``letters`` are those of its words (after lower-casing); ``voice`` is espeak-ng's name
    of the language; ``lexicon`` a file of ``word phone phone ...`` lines, words in any case, that
    come before espeak-ng's; ``fold`` replaces letters in reference and hypothesis when words are
    scored; ``texts`` names modules of ``local/`` with free texts, or text files;
    ``dictionaries`` modules with hunspell dictionaries, ``X.dic`` files beside their
    ``X.aff``, or word lists; ``phone_map`` renames phones (see `cascade.text.phones`).
    """

    letters: str
    voice: str
    lexicon: str | None = None
    texts: tuple[str, ...] = ()
    dictionaries: tuple[str, ...] = ()
    fold: dict[str, str] = field(default_factory=dict)
    phone_map: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Split:
    """What a hash puts between two per cents, such as ``between: [80, 90]``.

    ``by: speaker`` hashes names of speakers, so that nobody is in two parts, and
    ``by: utterance`` ids. See `cascade.corpora.split`.
    """

    between: tuple[float, ...]
    by: str = "speaker"
    seed: int = 0


@dataclass(frozen=True)
class Dataset:
    """A corpus, or a part of one, and the role it plays. ``name`` defaults to the corpus.

    ``part`` is one that the corpus has itself, ``split`` one that is made here.

    ``path`` is the folder of a corpus that the user has. ``channel`` says what is taken of
    recordings with several: a number from 0, or ``mix``, their mean, which is the default.
    ``isolated`` words, of a validation set, choose the model and the search of phones; the
    language model's weights and the search of words are those of sentences.
    """

    role: str
    language: str
    corpus: str
    part: str | None = None
    path: str | None = None
    name: str = ""
    channel: str | None = None
    split: Split | None = None
    isolated: bool = False

    @property
    def label(self) -> str:
        """The data set's own name, or that of its corpus."""
        return self.name or self.corpus


@dataclass(frozen=True)
class Limits:
    """What stage 0 lets pass: utterances of ``min_seconds`` to ``max_seconds``.

    ``max_excluded`` is the share of a data set's utterances that may be left out.
    """

    max_excluded: str = "5%"
    min_seconds: float = within(0.2, 0)
    max_seconds: float = within(40.0, 0)

    @property
    def excluded_share(self) -> float:
        """``max_excluded`` as a number between 0 and 1."""
        return float(self.max_excluded.rstrip("%")) / (100 if "%" in self.max_excluded else 1)


@dataclass(frozen=True)
class Features:
    """Log-mel filterbank features; ``stack`` frames of 10 ms make one input of the network.

    ``rate`` is what recordings are resampled to. A Kaldi folder of features without audio
    takes neither that nor ``filters`` into account: its features are used as they are.

    ``cmn: online`` subtracts Kaldi's running mean: of the last ``cmn_window`` frames, filled
    up with at most ``cmn_global`` frames of the cms-init vector. ``cmn: utterance``
    subtracts the mean of the whole utterance.
    """

    rate: int = within(16000, 4000)
    filters: int = within(40, 2, 512)
    stack: int = within(3, 1, 16)
    cmn: str = "online"
    cmn_window: int = within(600, 1)
    cmn_global: int = within(200, 0)


@dataclass(frozen=True)
class LanguageModel:
    """The word n-gram: ``prune`` is the entropy-pruning threshold, 0 for none.

    ``words``, where given, is how many words to decode to at most: those of transcripts
    and texts always, then the dictionaries' likeliest forms. ``phone_order`` is the order
    of the n-gram over the phones of the same sentences. With ``open``, words that the
    vocabulary lacks are spelt from pieces of the others, as likely as such words are in valid.
    """

    order: int = within(3, 1, 5)
    phone_order: int = within(4, 1, 6)
    prune: float = within(0.0, 0)
    words: int | None = within(None, 1)
    open: bool = False


@dataclass(frozen=True)
class Augment:
    """Random changes of the training features, the same for every language.

    ``stretch``: the time axis by a factor of 1 +- this; ``warp``: the filter axis, up or
    down by up to this many filters; ``channel``: another microphone, a smooth random curve
    of this size in nats added to every frame; ``time_masks`` masks of up to ``time_width`` stacked
    frames and ``filter_masks`` of up to ``filter_width`` filters (SpecAugment,
    arXiv:1904.08779). All of it grows from nothing over the first ``ramp`` of the steps:
    CTC finds its first alignments far sooner in whole speech.
    """

    stretch: float = within(0.1, 0, 0.5)
    warp: float = within(1.0, 0, 8)
    channel: float = within(1.0, 0, 10)
    time_masks: int = within(2, 0)
    time_width: int = within(10, 0)
    filter_masks: int = within(2, 0)
    filter_width: int = within(8, 0)
    ramp: float = within(0.3, 0, 1)


@dataclass(frozen=True)
class Train:
    """How a system is trained. ``epochs``, where given, takes the place of ``steps``; a system's
    own ``steps``, and those of the command line, that of a recipe's ``epochs``.

    ``learning_rate`` is the highest: it grows over the first ``warmup`` of the steps, and falls
    to nothing at the last. ``weight_decay`` is AdamW's; ``dropout`` is the share of values left
    out between layers; gradients longer than ``clip`` are cut to it. Each ``valid_every`` steps
    the network is tried on valid, and the best one kept; a checkpoint is written each
    ``checkpoint_every``, and it changes no result.

    A step takes ``batch_seconds`` of speech from each language, or what ``seconds`` says of
    one. ``weights`` multiplies a language's loss (1 where it is not named). ``active`` is
    the part of the steps in which a language takes part, `[0, 1]` where it is not named:
    `{en: [0, 0.8]}` leaves the last fifth to the others. ``tie`` times the sum of squared
    differences between what the target has of its own in the network and what each other
    language has in its place is added to the loss: 0 leaves them apart, much makes them one.
    With ``precision: bfloat16`` products of matrices are of 16 bits; weights, losses and models
    stay `float32`. That needs a processor with AVX-512, or a GPU, and gains something where
    it has such arithmetic (AVX-512 BF16) and batches are large: `tests/bench/train.sh` tells.
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
    weights: dict[str, float] = field(default_factory=dict)
    active: dict[str, tuple[float, ...]] = field(default_factory=dict)
    valid_every: int = within(200, 1)
    checkpoint_every: str = "60s"
    precision: str = "float32"
    augment: Augment = field(default_factory=Augment)

    @property
    def checkpoint_seconds(self) -> float:
        """``checkpoint_every`` in seconds."""
        return float(self.checkpoint_every.removesuffix("s"))


@dataclass(frozen=True)
class System:
    """A network to train. ``layers`` is ``[4]``, or ``[lower, upper]`` for a cascade;
    with ``share: lower``, ``[4, 0]`` leaves each language its output alone.

    A cascade is trained on all languages at once, or on the target and those that
    ``languages`` names; they ``share`` the ``upper`` layers, the ``lower`` ones, or
    ``all``. Any other network is trained on the target alone. ``start`` is another system
    of the recipe, or the folder of a model: what this one has in common with it begins as
    it is there, and what ``freeze`` names of it (``norm``, ``layer1``, ..., ``output``)
    stays so. ``train`` holds what differs from the recipe's ``train`` for this system alone.
    """

    cascade: bool
    layers: tuple[int, ...]
    neurons: int = within(100, 1)
    share: str = "upper"
    languages: tuple[str, ...] = ()
    start: str | None = None
    freeze: tuple[str, ...] = ()
    train: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Decode:
    """Word search: ``acoustic_scale`` multiplies the network's log-probabilities.

    Kept are paths within ``beam`` of the best one, and ``max_active`` of them at most.

    ``blank_penalty`` is taken from the blank's log-probability before the search, which
    keeps the peaky blank of a CTC network from deleting words; ``word_penalty`` is the
    cost of every word, which keeps short words from filling the gaps. With ``tune``, the
    three are where the search for better ones begins, made on valid for each system.
    ``nbest`` is the number of hypotheses that are written; 0 also leaves out the words'
    times and confidences.
    """

    beam: float = within(12.0, 0.1)
    max_active: int = within(3000, 1)
    tune: bool = True
    acoustic_scale: float = within(0.7, 0.001)
    blank_penalty: float = within(2.0, -20, 20)
    word_penalty: float = within(0.0, -20, 20)
    nbest: int = within(10, 0, 1000)

"""The sections of a recipe: what each key means, its bounds and its default.

The documentation's page of keys is generated from this module: every field has an entry under
``Attributes`` in the docstring of its class.
"""

from dataclasses import dataclass, field
from typing import Any

from cascade.config.schema import within

HINTS = ("capitals", "stress", "vowels")  # of a transcript, on how words are read
FRAMES_PER_SECOND = 100  # of features, everywhere
FRAME_SHIFT = 1 / FRAMES_PER_SECOND  # seconds: 0.01


@dataclass(frozen=True)
class Language:
    """A language: its letters, its pronunciations, its texts.

    Attributes:
        letters: The letters of its words, in lower case.
        voice: The name that espeak-ng gives the language, such as ``ru`` or ``en-us``.
        lexicon: A file of your own pronunciations, one ``word phone phone ...`` a line. They
            come before those of espeak-ng. Upper and lower case are the same.
        texts: Texts for the language model: modules of ``local/texts``, or files with one
            sentence a line.
        read_aloud: Texts that synthetic voices read, named as in ``texts``. Default: ``texts``.
        dictionaries: Dictionaries whose word forms all join the vocabulary: modules of
            ``local/texts``, hunspell's ``X.dic`` beside ``X.aff``, or word lists.
        fold: Letters that count as another letter when words are scored, such as ``{ё: е}``.
        phone_map: Phones to rename, such as ``{ɑ: a}``. Two languages share a phone if both
            write it in the same way.
        stress_marks: What marks the stress of Cyrillic words in texts, beside a vowel:
            ``з+амок``, ``за'мок``. It is dropped, as combining accents are; what is among the
            ``letters`` stays.
        hints: What in a transcript decides how a word is read, beyond its letters: ``capitals``,
            ``stress``, ``vowels``. ``capitals``: a word in capitals among others, which is not
            also written without them, is read as espeak-ng reads capitals: МГУ by its letters.
            ``stress``: a word with a stress mark is read as the lexicon file says of the word
            with this mark. ``vowels``: espeak-ng sees the vowel marks of Arabic and Hebrew. The
            vocabulary has these pronunciations beside the others.
    """

    letters: str
    voice: str
    lexicon: str | None = None
    texts: tuple[str, ...] = ()
    read_aloud: tuple[str, ...] = ()
    dictionaries: tuple[str, ...] = ()
    fold: dict[str, str] = field(default_factory=dict)
    phone_map: dict[str, str] = field(default_factory=dict)
    stress_marks: str = "+=´`'"
    hints: tuple[str, ...] = ()

    @property
    def code(self) -> str:
        """The language's code without a region, which decides how its letters are written."""
        return self.voice.partition("-")[0]

    @property
    def spoken(self) -> tuple[str, ...]:
        """The texts that synthetic voices read."""
        return self.read_aloud or self.texts


@dataclass(frozen=True)
class Split:
    """A part of a corpus that has no parts of its own. A hash of each name decides.

    Attributes:
        between: The part, as two percentages, such as ``[80, 90]``.
        by: What is hashed. ``speaker``: no known speaker is in two parts. For few speakers:
            ``utterance``; or ``sentence``, so that no sentence is in two, whoever reads it.
        seed: Another draws other parts. Parts of one corpus, or of the same sentences, need one.
    """

    between: tuple[float, ...]
    by: str = "speaker"
    seed: int = 0


CORPUS_KEYS = ("voices", "speakers", "minutes", "speeds")  # only some corpora take them


@dataclass(frozen=True)
class Dataset:
    """A corpus, or a part of one, and its role.

    Attributes:
        role: ``train`` (speech of the target language to train on), ``train_ext`` (other speech
            to train beside it: of another language, or a ``stream``), ``train_untranscribed``
            (speech of the target language whose transcripts are not read: systems with a
            ``teacher`` train on what that recognises), ``valid`` (chooses models and settings)
            or ``test`` (gives the figures).
        language: One of the recipe's ``languages``.
        corpus: A module of ``local/corpora`` (fetched) or ``local/readers`` (your folder).
        part: A part that the corpus itself has, such as ``dev``. Without it, the default part.
        path: The folder or table of a corpus that you have, from the project's folder.
        stream: For ``train_ext`` and ``train_untranscribed``. Data sets of one stream share a
            data iterator, and have batches, a weight and lower layers apart from other streams.
            Parts near the output belong to the language. Default: the language, or
            ``untranscribed``. Speech of the target language that is not the target's own, such
            as borrowed voices, needs a name here.
        name: Tells apart two data sets of one role and language. Default: the corpus.
        channel: Which channel of recordings with several: a number from 0, or ``mix``, their
            mean. Without it the mean is taken, and stage 0 says so.
        split: A part that is made here, by a hash of names. Keys: see ``Split``.
        confusables: ``fix``: letters of another script that look like those of the language, such
            as a Latin ``o`` in a Russian word, are replaced, and stage 0 says how many. Without
            it, such utterances are left out. Of a ``train`` set, it is for ``texts``, too.
        numbers: ``words``: digits of transcripts become words, in the nominative, and stage 0 says
            how many. What has several readings stays and is left out: dates, sums of money,
            percentages. Without it, utterances with digits are left out. Of a ``train`` set, it
            is for ``texts``, too.
        isolated: For ``valid`` sets of single words. They count in the choice of the model and
            in the search of phones, not in the search of words.
        adapt: For ``test`` sets. ``speaker``: they are recognised once more, in two passes, as a
            test of its own, whose name ends with ``_adapted``. Before the second pass, a copy of
            the network trains on what the first has recognised of a speaker. The transcripts of
            the set are not used. The recipe's ``adapt`` sets how.
        max_minutes_per_speaker: At most so many minutes of any one speaker are used, for a
            corpus in which one speaker has most of the speech. A hash of each utterance's id
            decides which, so fewer minutes are part of more; ``excluded.tsv`` lists the others.
            Utterances without a speaker's name have no limit.
        voices: For the corpus ``voices``: whose voices read the texts. ``own``: those of the
            language. ``borrowed``: those of other languages, with their accents. Default:
            ``own`` if there are any.
        speakers: For ``voices``: how many speakers. Beyond the number of voices, they are
            mixtures of two. Default: 570.
        minutes: For ``voices``: how many minutes of speech. More minutes begin with the same
            speech. Default: 30.
        speeds: For ``voices``: the slowest and the fastest reading, 1 being the voice's own. A hash
            decides the speed of each sentence. Default: ``[0.85, 1.2]``.
    """

    role: str
    language: str
    corpus: str
    part: str | None = None
    path: str | None = None
    stream: str = ""
    name: str = ""
    channel: str | None = None
    split: Split | None = None
    confusables: str | None = None
    numbers: str | None = None
    isolated: bool = False
    adapt: str | None = None
    max_minutes_per_speaker: float | None = within(None, 0.01)
    voices: str | None = None
    speakers: int | None = within(None, 1, 100_000)
    minutes: float | None = within(None, 0.01)
    speeds: tuple[float, ...] = ()

    @property
    def options(self) -> dict[str, Any]:
        """The keys that only some corpora take, as far as the recipe has them."""
        values = {key: getattr(self, key) for key in CORPUS_KEYS}
        return {key: value for key, value in values.items() if value not in (None, ())}

    @property
    def label(self) -> str:
        """The data set's own name, or one made from that of its corpus."""
        return self.name or self.corpus

    @property
    def stream_name(self) -> str:
        """The stream that a data set belongs to, beside the target's own."""
        return self.stream or (self.language if self.transcribed else "untranscribed")

    @property
    def transcribed(self) -> bool:
        """Whether its transcripts are used."""
        return self.role != "train_untranscribed"


@dataclass(frozen=True)
class Evaluation:
    """A test: a data set of role ``test``, and how it is recognised.

    Attributes:
        dataset: The data set.
        adapted: Whether in two passes, with networks that adapt to its speakers before the second.
    """

    dataset: Dataset
    adapted: bool = False

    @property
    def label(self) -> str:
        """The name of the test in tables and files."""
        return self.dataset.label + ("_adapted" if self.adapted else "")


@dataclass(frozen=True)
class Limits:
    """What stage 0 accepts.

    Attributes:
        max_excluded: The largest share of a data set that may fail the checks, such as ``5%``
            or ``0.05``. With more, stage 0 stops.
        min_seconds: Shorter utterances are left out.
        max_seconds: Longer utterances are left out.
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
    """Log-mel filterbank features, 100 frames a second.

    A Kaldi folder of features without audio ignores ``rate`` and ``filters``: its features are
    used as they are.

    Attributes:
        rate: The sampling rate in Hz. All recordings are resampled to it.
        filters: How many mel filters a frame has.
        stack: How many frames of 10 ms make one input of the network.
        cmn: Cepstral mean normalisation (CMN; here of log-mel features): which mean is
            subtracted from each frame. ``online``: Kaldi's running mean, which needs no later
            frame. ``utterance``: the mean of the complete utterance.
        cmn_window: For ``online``: how many frames the mean covers, the current one and those
            before it.
        cmn_global: For ``online``: at the start of an utterance, the cms-init vector (the mean of
            the training data) fills up the window. It counts as at most this many frames.
        cmn_start: For ``online``: how many frames at the beginning of a recording share one mean,
            that of all of them. A stream waits for them, then it has no delay. 0: a frame has the
            mean of itself and those before it, always.
        smooth: Moves each value by this share (0 to 0.5) towards the next frame and the next
            filter when speech is recognised. Augmentation smooths the training features in the
            same way, because it interpolates. 0: no change.
    """

    rate: int = within(16000, 4000)
    filters: int = within(40, 2, 512)
    stack: int = within(3, 1, 16)
    cmn: str = "online"
    cmn_window: int = within(600, 1)
    cmn_global: int = within(200, 0)
    cmn_start: int = within(0, 0)
    smooth: float = within(0.0, 0.0, 0.5)


@dataclass(frozen=True)
class LanguageModel:
    """The n-gram models of words and phones.

    Attributes:
        order: The order of the word n-gram: 3 is a trigram.
        phone_order: The order of the phone n-gram.
        prune: The threshold of entropy pruning; 0 prunes nothing.
        words: The size of the vocabulary. Words of transcripts and texts are always in it;
            the likeliest forms of the dictionaries fill it up. Without it, all forms are in.
        open: Spell words that the vocabulary lacks from pieces of other words. For languages
            without a dictionary.
    """

    order: int = within(3, 2, 5)
    phone_order: int = within(4, 2, 5)
    prune: float = within(0.0, 0)
    words: int | None = within(None, 1)
    open: bool = False


@dataclass(frozen=True)
class Decode:
    """The search for words and phones.

    Attributes:
        beam: Paths that are worse than the best one by more than this are dropped.
        max_active: At most so many paths are kept.
        tune: Search for the ``acoustic_scale``, ``blank_penalty`` and ``word_penalty`` with the
            fewest errors on valid, for each system. The three keys below are the start of this
            search. They are kept unless the difference on valid is statistically significant.
            ``false``: they are used as they are.
        acoustic_scale: A factor for the network's log-probabilities.
        blank_penalty: Subtracted from the log-probability of the CTC blank. It keeps the
            network from deleting words.
        word_penalty: The cost of each word. It keeps short words from filling gaps.
        nbest: How many hypotheses of each utterance are written. 0 leaves out the times and
            confidences of words, too. The search is then several times as fast, if the network is
            unsure: with 70 % phone errors 7 times.
    """

    beam: float = within(12.0, 0.1)
    max_active: int = within(3000, 1)
    tune: bool = True
    acoustic_scale: float = within(0.7, 0.001)
    blank_penalty: float = within(2.0, -20, 20)
    word_penalty: float = within(0.0, -20, 20)
    nbest: int = within(10, 0, 1000)

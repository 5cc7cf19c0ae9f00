"""The paths of all files: in ``exp/NAME/``, and in the folders that experiments share."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Layout:
    """The files of one experiment; ``root`` is ``exp/NAME``."""

    root: Path
    downloads: Path
    data: Path

    @property
    def excluded(self) -> Path:
        return self.root / "excluded.tsv"

    def cuts(self, key: str) -> Path:
        return self.root / "manifests" / f"{key}.jsonl.gz"

    def recordings(self, key: str) -> Path:
        return self.root / "manifests" / f"recordings_{key}.jsonl.gz"

    def supervisions(self, key: str) -> Path:
        return self.root / "manifests" / f"supervisions_{key}.jsonl.gz"

    def speech(self, key: str) -> Path:
        """The utterances to compute features of: also those beyond ``target_minutes``."""
        return self.root / "manifests" / f"speech_{key}.jsonl.gz"

    @property
    def lang(self) -> Path:
        return self.root / "lang"

    @property
    def phones(self) -> Path:
        return self.lang / "phones.txt"

    def phones_of(self, language: str) -> Path:
        """The phones of one language's transcripts, in the form of ``phones``."""
        return self.lang / f"phones_{language}.txt"

    @property
    def graph(self) -> Path:
        return self.lang / "graph.fst"

    @property
    def words(self) -> Path:
        return self.lang / "words.txt"

    @property
    def lexicon(self) -> Path:
        return self.lang / "lexicon.txt"

    @property
    def as_written(self) -> Path:
        return self.lang / "as_written.txt"

    @property
    def dictionary(self) -> Path:
        return self.lang / "dictionary.txt"

    def sentences(self, source: int) -> Path:
        """Text for the language model. Source 0 is the training transcripts."""
        return self.lang / "sentences" / f"{source}.txt"

    @property
    def arpa(self) -> Path:
        return self.lang / "lm.arpa"

    @property
    def lm_summary(self) -> Path:
        return self.lang / "lm.json"

    @property
    def spelling_text(self) -> Path:
        """Words split into pieces, for an open vocabulary."""
        return self.lang / "spelling.txt"

    @property
    def spelling_arpa(self) -> Path:
        return self.lang / "spelling.arpa"

    @property
    def phone_text(self) -> Path:
        """The sentences for the language model, as phones."""
        return self.lang / "phone_lm.txt"

    @property
    def phone_arpa(self) -> Path:
        return self.lang / "phone_lm.arpa"

    @property
    def phone_graph(self) -> Path:
        return self.lang / "phone_graph.fst"

    @property
    def phone_words(self) -> Path:
        """The phones by their number in the phone graph."""
        return self.lang / "phone_words.txt"

    @property
    def lang_summary(self) -> Path:
        return self.lang / "summary.json"

    def text(self, key: str, unit: str) -> Path:
        """A text file of a data set; ``unit`` is ``words``, ``phones`` or ``speakers``."""
        return self.lang / "text" / f"{key}.{unit}"

    @property
    def lang_store(self) -> Path:
        """What stage 1 makes for all experiments; see `cascade.runtime.kept`."""
        return self.data / "lang"

    @property
    def feature_store(self) -> Path:
        """The features that all experiments share; see `cascade.features.store`."""
        return self.data / "feats"

    @property
    def feats(self) -> Path:
        return self.root / "feats"

    def scp(self, key: str) -> Path:
        return self.feats / f"{key}.scp"

    def num_frames(self, key: str) -> Path:
        return self.feats / f"{key}.num_frames"

    def feature_digests(self, key: str) -> Path:
        """A digest of every utterance's features."""
        return self.feats / f"{key}.sha256"

    def feature_cuts(self, key: str) -> Path:
        return self.feats / f"{key}.jsonl.gz"

    @property
    def cms_init(self) -> Path:
        return self.feats / "cms_init.json"

    def system(self, system: str) -> Path:
        return self.root / system

    def model(self, system: str) -> Path:
        return self.system(system) / "model.safetensors"

    def decode(self, system: str, test: str) -> Path:
        return self.system(system) / f"decode_{test}"

    def adaptation(self, system: str, test: str) -> Path:
        """How the system adapted to each speaker of a test: a table."""
        return self.decode(system, test) / "adaptation.tsv"

    def search(self, system: str) -> Path:
        return self.system(system) / "decode.json"

    def phone_search(self, system: str) -> Path:
        return self.system(system) / "decode_phones.json"

    def transcript(self, system: str, key: str, unit: str) -> Path:
        """What the teacher of a system recognised in a data set without transcripts.

        ``unit`` is ``words``, ``phones`` or ``confidence``.
        """
        return self.system(system) / "transcripts" / f"{key}.{unit}"

    def transcripts_excluded(self, system: str) -> Path:
        return self.system(system) / "transcripts" / "excluded.tsv"

    def bundle(self, system: str) -> Path:
        """The files that stage 7 packs to run elsewhere; `bundle_zip` has the same."""
        return self.system(system) / "bundle"

    def bundle_zip(self, system: str) -> Path:
        return self.system(system) / "bundle.zip"

    def oracle(self, test: str) -> Path:
        """The words decoded from the reference phones of a test set."""
        return self.lang / "oracle" / f"{test}.words"

    def score(self, system: str, test: str) -> Path:
        return self.system(system) / f"score_{test}"

    def phone_table(self, test: str) -> Path:
        """The phones of a test set, with the errors of every system."""
        return self.root / f"phones_{test}.tsv"

    def phone_changes(self, test: str) -> Path:
        """The phone errors that are more or less frequent than with the reference system."""
        return self.root / f"changes_{test}.tsv"

    @property
    def report(self) -> Path:
        return self.root / "report.html"

    @property
    def recipe(self) -> Path:
        """The recipe as resolved, from which the report can be made again."""
        return self.root / "recipe.json"

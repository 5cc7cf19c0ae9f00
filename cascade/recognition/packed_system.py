"""A bundle as a recogniser, with onnxruntime in place of torch."""

from dataclasses import dataclass, replace
from pathlib import Path

from cascade.bundle.manifest import FLOAT32
from cascade.bundle.network import Network
from cascade.bundle.reader import Bundle
from cascade.config.sections import FRAMES_PER_SECOND, Features, Language, Limits
from cascade.decoding.decoder import Decoder, Search
from cascade.features.numpy_filterbank import NumpyFilterbank
from cascade.lm.const_fst import check_graph
from cascade.recognition.recordings import Recogniser
from cascade.runtime.errors import UserError


@dataclass(frozen=True)
class PackedSystem:
    """The system of a bundle; ``nbest`` is the length of its n-best lists, ``network`` its file.

    The values differ from those of the experiment in the last digits.
    """

    bundle: Bundle
    nbest: int
    network: str = FLOAT32

    @property
    def features(self) -> Features:
        return self.bundle.manifest.features

    @property
    def limits(self) -> Limits:
        return self.bundle.manifest.limits

    @property
    def language(self) -> str:
        return self.bundle.manifest.language

    @property
    def rule(self) -> Language:
        return self.bundle.manifest.rule

    @property
    def training(self) -> tuple[Path, ...]:
        return ()

    def load(self, decoder: Decoder | None = None) -> Recogniser:
        """Load the network and the graphs; raise `UserError` where they do not go together.

        ``decoder`` has the graphs, if they are loaded already.
        """
        decoder, features = decoder or self.decoder(), self.features
        network = Network(self.bundle.folder / self.network, self.bundle.name)
        network.check(features.filters, len(decoder.phones))
        return Recogniser(
            NumpyFilterbank(features.rate, features.filters).energies, network, decoder
        )

    def decoder(self) -> Decoder:
        """Load the graphs; raise `UserError` where they do not go together with the phones."""
        folder, manifest = self.bundle.folder, self.bundle.manifest
        words = Search(
            folder / "graph.fst",
            folder / "words.txt",
            replace(manifest.words, nbest=self.nbest),
            manifest.cost_scale,
        )
        phones = Search(folder / "phone_graph.fst", folder / "phone_words.txt", manifest.phones)
        seconds = self.features.stack / FRAMES_PER_SECOND
        outputs = _lines(folder / "tokens.txt")
        for search in (words, phones):  # before anything reads it
            if problem := check_graph(search.graph, outputs, _lines(search.words)):
                raise UserError(f"{self.bundle.name} is refused: {search.graph.name}: {problem}.")
        return Decoder(folder / "tokens.txt", words, phones, folder / "lexicon.txt", seconds)


def _lines(path: Path) -> int:
    return path.read_bytes().count(b"\n")

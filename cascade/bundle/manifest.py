"""What a bundle has in it: ``bundle.json``, and the names of its files.

The other files::

    model.onnx         the network, with mean subtraction and stacking of frames
    model.int8.onnx    the same with weights of 8 bits, where it is as good
    words.onnx         the same with the scale and the penalty of the search, for sherpa-onnx
    stream.onnx        the layers of an LSTM network, with their states as inputs and outputs
    tokens.txt         the phones of the network by number; the blank is 0
    graph.fst          the decoding graph of words, with their penalty, costs scaled
    words.txt          its words by number
    lexicon.txt        their pronunciations
    phone_graph.fst    the decoding graph of the phone n-gram
    phone_words.txt    its phones by number
    cms_init.json      the mean of the training features
    model.safetensors  the weights, to train further
    model.json         the shape of the network
    README.md          the model card
    align.npy          how phones sound, to find where they begin; not in every bundle
"""

import json
from dataclasses import dataclass
from pathlib import Path

from cascade.config.schema import as_plain, build
from cascade.config.sections import Decode, Features, Language, Limits
from cascade.runtime.errors import UserError
from cascade.runtime.files import write_json

FORMAT = 1  # raised when a version before could not use the bundle
NAME = "bundle.json"
MB, GB = 1 << 20, 1 << 30
FLOAT32, INT8 = "model.onnx", "model.int8.onnx"  # the network, by the kind of its weights
STREAM = "stream.onnx"  # step by step
MOST = {  # the largest size of each file in bytes
    FLOAT32: GB,
    "words.onnx": GB,
    "model.safetensors": GB,
    "tokens.txt": MB,
    "graph.fst": 8 * GB,
    "words.txt": GB,
    "lexicon.txt": 2 * GB,
    "phone_graph.fst": GB,
    "phone_words.txt": MB,
    "cms_init.json": MB,
    "model.json": MB,
    "README.md": MB,
}
PHONE_MODELS = "align.npy"
OPTIONAL = {INT8: GB, PHONE_MODELS: 64 * MB, STREAM: GB}


@dataclass(frozen=True)
class File:
    """The size of a file in bytes, and its SHA-256."""

    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What ``bundle.json`` says.

    Attributes:
        format: The version of the bundle's form.
        made_by: The program that made it, with its version.
        recipe: The recipe that it was trained by.
        system: The system of that recipe.
        language: The language that it recognises.
        rule: What decides how its text becomes words (`cascade.text.words`): its letters, voice
            and so on, without the files of texts.
        features: How features are computed.
        limits: The shortest recording, and the longest one that is searched in one part.
        words: The settings of the search for words. The graph has the penalty of words in it, so
            the one here is 0.
        phones: The settings of the search for phones, likewise.
        cost_scale: What the costs in ``graph.fst`` and the scores of ``words.onnx`` are multiplied
            by. sherpa-onnx searches with a beam of 16; so scaled, that is the beam of ``words``.
        valid_per: The phone error rate on valid in per cent, of greedy phones, with weights of
            ``float32`` and of ``int8``.
        files: All other files of the bundle.
    """

    format: int
    made_by: str
    recipe: str
    system: str
    language: str
    rule: Language
    features: Features
    limits: Limits
    words: Decode
    phones: Decode
    cost_scale: float
    valid_per: dict[str, float]
    files: dict[str, File]


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write ``bundle.json``."""
    write_json(folder / NAME, as_plain(manifest))


def parse(content: bytes, where: Path) -> Manifest:
    """Return what the bytes of a ``bundle.json`` say; ``where`` is the bundle, for messages.

    Raises `UserError` for another format, and for anything that is not as `Manifest` has it.
    """
    try:
        raw = json.loads(content)
    except (ValueError, RecursionError):
        raise UserError(f"{where} is damaged: its {NAME} is not JSON. Fetch it again.") from None
    if not isinstance(raw, dict) or not isinstance(raw.get("format"), int):
        raise UserError(f"{where} is not a bundle: its {NAME} does not say which format it has.")
    if raw["format"] != FORMAT:
        raise UserError(
            f"{where} is a bundle of format {raw['format']}, and this version of cascade reads"
            f" format {FORMAT}. Pack it again with this version, or use the one that made it."
        )
    try:
        manifest: Manifest = build(Manifest, raw, "")
    except UserError as error:
        raise UserError(f"{where} is damaged: {NAME}: {error}") from None
    if not 1e-3 <= manifest.cost_scale <= 1e3:
        raise UserError(f"{where} is refused: its cost_scale is {manifest.cost_scale}.")
    allowed = MOST | OPTIONAL
    for name, file in manifest.files.items():
        if name not in allowed:
            raise UserError(f"{where} is refused: no bundle has a file '{name}'.")
        if not 0 <= file.size <= allowed[name]:
            raise UserError(
                f"{where} is refused: {name} has {file.size} bytes; a bundle's has at most"
                f" {allowed[name]}."
            )
    missing = [name for name in MOST if name not in manifest.files]
    if missing:
        raise UserError(f"{where} is damaged: its {NAME} lacks {missing[0]}.")
    return manifest

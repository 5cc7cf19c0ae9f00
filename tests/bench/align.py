"""Phone boundaries of an alignment against published ones: see tests/bench/align.sh."""

import argparse
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

import kaldialign
import numpy as np

from cascade.alignment.aligner import FILES, Aligner, blocks_of_energies
from cascade.alignment.folder import Request, align_folder
from cascade.alignment.forced_path import forced_path
from cascade.bundle.network import Network
from cascade.bundle.reader import opened
from cascade.config.experiment import Experiment
from cascade.config.layout import Layout
from cascade.config.recipe import read_recipe
from cascade.config.sections import FRAMES_PER_SECOND
from cascade.corpora import audio
from cascade.corpora.corpus import CorpusRequest
from cascade.features.numpy_filterbank import NumpyFilterbank
from cascade.runtime.files import read_jsonl_gz
from local.corpora.festvox_ru import PACKAGE, VOICE
from local.helpers import debian

PAUSE = "pau"
WITHIN = (0.02, 0.05, 0.1)  # seconds
# The vowels of the labels; of espeak-ng's, the second row. Both tell stressed and unstressed ones
# apart, in ways of their own, so only the kind of vowel is compared.
VOWELS = {
    **dict.fromkeys(("a", "aa", "ay", "ʌ", "ə", "æ"), "A"),
    **dict.fromkeys(("i", "ii", "e", "ee", "ae", "y", "yy", "ɪ", "ɛ", "ɨ"), "I"),
    **dict.fromkeys(("oo", "o", "ɔ"), "O"),
    **dict.fromkeys(("u", "uu", "ur", "ʊ"), "U"),
}
# Consonants by name. Soft ones are written twice (tt), or with ʲ; softness is not compared.
CONSONANTS = {"sh": "ʃ", "zh": "ʒ", "ch": "tʃ", "sch": "ɕ", "c": "ts", "h": "x", "g": "ɡ"}
Timed = tuple[str, float, float]  # phone, begin and end in seconds


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("system", nargs="?")
    parser.add_argument("--role", default="test", choices=("valid", "test"))
    options = parser.parse_args()
    recipe = read_recipe(Path("recipes") / options.folder.name / "recipe.yaml")
    layout = Layout(options.folder, Path("downloads"), Path("data"))
    system = options.system or next(iter(recipe.systems))
    labels = published()
    key = next(
        Experiment(recipe, layout).dataset_key(dataset)
        for dataset in recipe.role(options.role)
        if dataset.corpus == "festvox_ru"
    )
    with tempfile.TemporaryDirectory() as temporary, opened(layout.bundle(system), FILES) as bundle:
        folder, out = Path(temporary) / "speech", Path(temporary) / "out"
        folder.mkdir()
        for cut in read_jsonl_gz(layout.cuts(key)):
            source = Path(cut["recording"]["sources"][0]["source"]).absolute()
            (folder / f"{cut['id']}.wav").symlink_to(source)
            (folder / f"{cut['id']}.txt").write_text(cut["supervisions"][0]["text"])
        request = Request(str(folder), out, ("json",), None, None, -2.5, 1, False)
        print(align_folder(bundle, request))
        rows = [json.loads(line) for line in (out / "alignments.jsonl").open(encoding="utf-8")]
        ours = {
            row["utterance"]: [
                (p["phone"], p["begin"], p["end"]) for w in row["words"] for p in w["phones"]
            ]
            for row in rows
        }
        seconds = {row["utterance"]: row["end"] for row in rows}
        peaks = untreated(Aligner(bundle, {}), folder, ours)
    show("uniform", {name: uniform(ours[name], seconds[name]) for name in ours}, labels)
    show("peaks", peaks, labels)
    for name in ours:
        assert labels[name], name
    print(show("aligned", ours, labels))


def published() -> dict[str, list[Timed]]:
    """Return the published labels of every recording.

    A line has the end of a phone in seconds, a colour, and the phone::

        #
        0.34200 125 pau
        0.39200 125 k
        0.42200 125 ay
    """
    request = CorpusRequest(Path("downloads"), Path("data"))
    folder = debian.unpack([PACKAGE], request, "festvox_ru_labels", (f"{VOICE}/lab/",))
    table: dict[str, list[Timed]] = {}
    for path in sorted((folder / VOICE / "lab").glob("*.lab")):
        begin, rows = 0.0, []
        for line in path.read_text().splitlines()[1:]:
            end, _, phone = line.split()
            rows.append((phone, begin, float(end)))
            begin = float(end)
        table[path.stem] = rows
    return table


def uniform(phones: Sequence[Timed], seconds: float) -> list[Timed]:
    """Return the phones as if all were equally long."""
    each = seconds / len(phones)
    return [(p, i * each, (i + 1) * each) for i, (p, *_) in enumerate(phones)]


def untreated(
    aligner: Aligner, folder: Path, ours: dict[str, list[Timed]]
) -> dict[str, list[Timed]]:
    """Return the phones as the network shows them: each from its first step to the next phone's."""
    features, table = aligner.bundle.manifest.features, {}
    network = Network(aligner.bundle.folder / "model.onnx", aligner.bundle.name)
    names = (aligner.bundle.folder / "tokens.txt").read_text().split()[::2]
    for name, phones in ours.items():
        wav = folder / f"{name}.wav"
        samples = audio.read(wav, features.rate, 0.0, audio.inspect(wav).seconds)
        bank = NumpyFilterbank(features.rate, features.filters)
        path = forced_path(
            network(blocks_of_energies(bank, samples)),
            [[[names.index(phone)]] for phone, *_ in phones],
        )
        assert path is not None
        step = features.stack / FRAMES_PER_SECOND
        begins = [first * step for first, _ in path.runs]
        ends = [*begins[1:], path.runs[-1][1] * step]
        table[name] = [(p, b, e) for (p, *_), b, e in zip(phones, begins, ends, strict=True)]
    return table


def show(name: str, ours: dict[str, list[Timed]], labels: dict[str, list[Timed]]) -> str:
    """Print what share of the published boundaries is near ours; return the last line."""
    errors: list[float] = []
    total = 0
    for utterance, phones in ours.items():
        published = labels[utterance]
        where = [i for i, (phone, *_) in enumerate(published) if phone != PAUSE]
        pairs = kaldialign.align(
            [kind(published[i][0]) for i in where], [kind(phone) for phone, *_ in phones], "*"
        )
        left, right = iter(where), iter(phones)
        for theirs, own in pairs:
            i = next(left) if theirs != "*" else None
            phone = next(right) if own != "*" else None
            if i is None:
                continue
            _, begin, end = published[i]
            last = i + 1 == len(published) or published[i + 1][0] == PAUSE
            total += 1 + last  # its begin, and its end if no other phone begins there
            if phone is not None:
                errors += [phone[1] - begin] + ([phone[2] - end] if last else [])
    sizes = np.abs(errors)
    shares = [100 * (sizes <= most + 1e-6).sum() / total for most in WITHIN]
    figures = " ".join(
        f"within{round(1000 * most)}={share:.1f}"
        for most, share in zip(WITHIN, shares, strict=True)
    )
    print(
        f"{name}: {figures}, {total - len(sizes)} of {total} boundaries have no counterpart;"
        f" median error {1000 * np.median(sizes):.0f} ms, {1000 * np.median(errors):+.0f} with sign"
    )
    return f"utterances={len(ours)} boundaries={total} {figures}"


def kind(phone: str) -> str:
    """Return what is compared of a phone, of the labels or of espeak-ng.

    >>> kind("tt"), kind("tʲ"), kind("aa"), kind("ʌ"), kind("sch")
    ('t', 't', 'A', 'A', 'ɕ')
    """
    if phone in VOWELS:
        return VOWELS[phone]
    name = phone.removesuffix("ʲ")
    name = name[0] if len(name) == 2 and name[0] == name[1] else name
    return CONSONANTS.get(name, name)


if __name__ == "__main__":
    main()

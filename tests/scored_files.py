"""An experiment as stages 0 to 5 leave it, without a network: its errors are drawn by chance.

The tests of the report and `tests/bench/report.sh` use it.
"""

import json
import random
from collections.abc import Mapping, Sequence

import numpy as np
import soundfile
from support import write_jsonl_gz

from cascade.config.experiment import Experiment
from cascade.corpora.corpus import Excluded
from cascade.data.ledger import write_ledger
from cascade.decoding.word_times import write_ctm
from cascade.report.evaluate import evaluate
from cascade.runtime.files import write_json, write_text, write_text_table
from cascade.runtime.origin import TRAINED_ON

WORDS = [
    *("мама", "мыла", "раму", "кот", "сидел", "на", "окне", "вечер"),
    *("был", "тихий", "снег", "шёл", "дом", "стоял", "у", "реки"),
]
SOUNDS = {"ш": "ʃ", "ё": "o", "ч": "tʃ", "ы": "ɨ", "й": "j", "ь": "", "у": "u", "я": "a", "х": "x"}
LATIN = dict(zip("абвгдежзиклмнопрстфцэю", "abvɡdeʒziklmnoprstfseu", strict=True))
RATE = 16000


def phones_of(words: Sequence[str]) -> list[str]:
    """A phone for each letter, near enough."""
    return [p for word in words for c in word if (p := SOUNDS.get(c, LATIN.get(c, "a")))]


def spoiled(tokens: Sequence[str], others: Sequence[str], rate: float, draw: random.Random):
    """Return tokens of which ``rate`` are deleted, substituted or followed by another one."""
    result = []
    for token in tokens:
        fate = draw.random() / rate
        if fate > 0.4:
            result.append(token if fate > 1 else draw.choice(others))
        if fate < 0.1:
            result += [draw.choice(others), draw.choice(others)]
    return result


def scored(
    experiment: Experiment,
    utterances: int = 12,
    speakers: Sequence[str] = ("anna", "boris"),
    texts: Mapping[str, str] | None = None,
    seconds: float = 1.2,
    recordings: int | None = None,
) -> Experiment:
    """Write all that stages 0 to 5 leave, and score it with the code of stage 5.

    ``texts`` are transcripts of further test utterances, by id. Only the first ``recordings``
    of the test have a recording of their own; the others have the same one.
    """
    recipe, layout = experiment.recipe, experiment.layout
    draw = random.Random(7)
    for dataset in recipe.datasets:
        key = experiment.dataset_key(dataset)
        count = utterances if dataset.role == "test" else 6
        words = {f"{key}-{i:05d}": draw.choices(WORDS, k=draw.randint(3, 9)) for i in range(count)}
        if dataset.role == "test":
            words |= {name: text.split() for name, text in (texts or {}).items()}
        _speech(experiment, key, words, speakers, seconds, recordings if count > 6 else 1)
        if dataset.role == "test":
            _decoded(experiment, dataset.label, words, draw)
    write_text(layout.lexicon, "".join(f"{word} a\n" for word in sorted(WORDS)))
    write_json(layout.lang / "summary.json", {"oov": {d.label: 1.5 for d in recipe.role("test")}})
    left = Excluded("an_17", "the word 'x1' has a letter that is not of ru: 1", 2.3)
    chosen = Excluded("an_18", "beyond target_minutes: 15", 3600.0, selection=True)
    write_ledger(layout.excluded, [("train_ru", left), ("train_ru", chosen)])
    for number, system in enumerate(recipe.systems):
        folder = layout.system(system)
        rows = [
            {
                **{"step": step, "epoch": step // 50, "learning_rate": 0.001},
                "loss": {"ru": 300 / step, **({"en": 400 / step} if number else {})},
                "valid_loss": 310 / step + 0.1 * number,
                "valid_per": 100 - step / 20 - number,
            }
            for step in range(100, 1100, 100)
        ]
        write_text(folder / "train.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
        write_json(folder / "ablation.json", {"whole": 50.0, "without layer2": 90.0})
        (folder / TRAINED_ON).write_text("a processor\n", encoding="utf-8")
        write_text(layout.model(system), "weights")
    evaluate(experiment)
    return experiment


def _speech(
    experiment: Experiment,
    key: str,
    words: Mapping[str, list[str]],
    speakers: Sequence[str],
    seconds: float,
    recordings: int | None,
) -> None:
    """Write the cuts, the recordings and the texts of a data set."""
    layout = experiment.layout
    folder = layout.data / key
    folder.mkdir(parents=True, exist_ok=True)
    times = np.arange(round(seconds * RATE)) / RATE
    cuts = []
    for number, name in enumerate(words):
        own = number if recordings is None else min(number, recordings - 1)
        path = folder / f"{[*words][own]}.wav".replace("/", "_")
        if not path.exists():
            tone = (
                0.3 * np.sin(2 * np.pi * (200 + 10 * (own % 50)) * times) * np.hanning(len(times))
            )
            soundfile.write(path, tone, RATE)
        supervision = {"speaker": speakers[number % len(speakers)], "text": " ".join(words[name])}
        cuts.append(
            {
                **{"id": name, "start": 0.0, "duration": seconds, "channel": 0},
                "supervisions": [supervision],
                "recording": {"sources": [{"source": str(path)}]},
            }
        )
    write_jsonl_gz(layout.cuts(key), cuts)
    who = {name: [speakers[i % len(speakers)]] for i, name in enumerate(words)}
    frames = {name: [str(round(100 * seconds))] for name in words}
    write_text_table(layout.num_frames(key), frames)
    write_text_table(layout.text(key, "words"), words)
    write_text_table(
        layout.text(key, "phones"), {n: phones_of(w) or ["a"] for n, w in words.items()}
    )
    write_text_table(layout.text(key, "speakers"), who)


def _decoded(
    experiment: Experiment, test: str, words: Mapping[str, list[str]], draw: random.Random
) -> None:
    """Write what each system has recognised: later systems make fewer errors."""
    recipe, layout = experiment.recipe, experiment.layout
    some = phones_of(WORDS)
    for number, system in enumerate(recipe.systems):
        folder, rate = layout.decode(system, test), 0.4 / (1 + number)
        heard = {name: spoiled(tokens, WORDS, rate, draw) for name, tokens in words.items()}
        write_text_table(folder / "words.txt", heard)
        for file in ("phones.txt", "phones_ngram.txt", "phones_words.txt"):
            spoken = {n: spoiled(phones_of(w) or ["a"], some, rate, draw) for n, w in words.items()}
            write_text_table(folder / file, spoken)
        timed = {
            name: [(w, 0.1 * i, 0.1, round(draw.uniform(0.2, 1), 4)) for i, w in enumerate(tokens)]
            for name, tokens in heard.items()
        }
        write_ctm(folder / "words.ctm", timed)
        write_json(folder / "decode.json", {"memory_mb": 100})
    layout.oracle(test).parent.mkdir(parents=True, exist_ok=True)
    write_text_table(layout.oracle(test), words)

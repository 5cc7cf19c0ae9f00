"""The text of a new recipe: what was found in the data, settings by its size, and comments."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from cascade.config.schema import as_plain
from cascade.config.sections import Dataset, Language

WRITTEN = "Written by `python -m cascade new-recipe`"
SMALL = 0.1  # hours; below, a training is a try-out, as recipes/mini is
MEASURED = 2.0  # hours; up to here the settings are those of recipes/ru_en
PASSES = 20  # through the training speech, where there is more


@dataclass(frozen=True)
class Known:
    """How ``recipe`` sets up a language; ``together`` with all others of the new one, or not."""

    recipe: str
    language: Language
    together: bool


@dataclass(frozen=True)
class Draft:
    """What a recipe is written from.

    ``called`` has the names of the languages, ``found`` a sentence a language on its data,
    ``known`` what another recipe has for it: a comment says what of that is not taken.
    ``hours`` are those of the target's training speech, ``words`` its running words.
    """

    name: str
    target: str
    datasets: Sequence[Dataset]
    languages: Mapping[str, Language]
    called: Mapping[str, str]
    found: Mapping[str, str]
    known: Mapping[str, Known]
    rate: int
    hours: float
    words: int
    max_excluded: int

    def text(self) -> str:
        """The recipe, YAML with comments."""
        parts = [self._head(), self._datasets(), self._languages(), self._limits()]
        parts += [self._features(), self._systems(), self._train(), self._language_model()]
        return "\n\n".join(part for part in parts if part) + "\n"

    def _head(self) -> str:
        others = [name for name in self.languages if name != self.target]
        beside = " and ".join(self.called[name] for name in others)
        title = self.called[self.target] + (f", trained beside {beside}" if others else "")
        return f"""\
# {title}.
#
# {WRITTEN}, and yours to change. All keys and their defaults
# are in docs/reference/keys.md; any can be given for one run, too:
# ./run.sh --recipe {self.name} --train.steps 2000

target: {_flow(self.target)}
seed: 0                  # of the networks' first weights and of the order of the speech
target_minutes: all      # or minutes of the target's training speech: how little is enough?"""

    def _datasets(self) -> str:
        lines = ["# What is trained on, what chooses the model (valid), what is decoded (test)."]
        lines += [f"# {name}: {' '.join(why.split())}." for name, why in self.found.items()]
        if any(dataset.split for dataset in self.datasets):
            lines += [
                "# split: a hash of the speaker's name, or the utterance's, is a number from 0 to",
                "# 100; a part has those between two of them. What is added later moves no other.",
            ]
        lines.append("datasets:")
        for dataset in self.datasets:
            row = {k: v for k, v in vars(dataset).items() if v not in (None, "")}
            if dataset.split:
                between = [int(x) if x == int(x) else x for x in dataset.split.between]
                row["split"] = {**vars(dataset.split), "between": between}
            lines.append(f"  - {_flow(row)}")
        return "\n".join(lines)

    def _languages(self) -> str:
        lines = [
            "# letters: those that words are written with; a transcript with others is left out.",
            "# voice: espeak-ng's, for pronunciations; lexicon: your own, `word phone phone ...`.",
            "# phone_map: renames phones, so that languages share those that sound alike; see",
            f"# `python -m cascade phones {self.name}`.",
            "languages:",
        ]
        for name, language in self.languages.items():
            lines.append(f"  {_flow(name)}:")
            lines.append(f"    letters: {_flow(language.letters)}")
            lines.append(f"    voice: {_flow(language.voice)}   # {self.called[name]}")
            for key in ("lexicon", "fold", "phone_map"):
                if value := getattr(language, key):
                    lines.append(f"    {key}: {_flow(as_plain(value))}")
            lines += [f"    {line}" for line in self._free_texts(name)]
            lines += [f"    # {line}" for line in self._more(name)]
        return "\n".join(lines)

    def _texts(self, name: str) -> dict[str, tuple[str, ...]]:
        """Free texts and dictionaries that another recipe has for the target."""
        if name != self.target or name not in self.known:
            return {}
        language = self.known[name].language
        return {k: v for k in ("texts", "dictionaries") if (v := getattr(language, k))}

    def _free_texts(self, name: str) -> list[str]:
        """They are the recipe's, too, but for a try-out: they are fetched, and large."""
        texts = self._texts(name) if self.hours >= SMALL else {}
        if not texts:
            return []
        lines = [f"{key}: {_flow(as_plain(value))}" for key, value in texts.items()]
        return [f"# as in recipes/{self.known[name].recipe}; they are fetched", *lines]

    def _more(self, name: str) -> list[str]:
        """What a language may have besides, for comments."""
        if name not in self.known:
            return ["texts: [sentences.txt]   # for the language model"] * (name == self.target)
        known = self.known[name]
        more: dict[str, Any] = self._texts(name) if self.hours < SMALL else {}
        if not known.together:
            more |= {key: getattr(known.language, key) for key in ("lexicon", "fold", "phone_map")}
        lines = [f"{key}: {_flow(as_plain(value))}" for key, value in more.items() if value]
        return [f"recipes/{known.recipe} has, too:"] * bool(lines) + lines

    def _limits(self) -> str:
        if not self.max_excluded:
            return ""
        return (
            "# So much of a data set may fail the checks before a run stops (5% where this is not\n"
            "# here): what new-recipe found. exp/NAME/excluded.tsv names each utterance.\n"
            f"limits: {{max_excluded: {self.max_excluded}%}}"
        )

    def _features(self) -> str:
        return (
            "# rate: Hz, what recordings are resampled to. A frame is 10 ms, the network's input\n"
            "# `stack` of them. cmn: utterance, or online: what live recognition needs.\n"
            f"features: {{rate: {self.rate}, filters: 40, stack: 3, cmn: utterance}}"
        )

    def _systems(self) -> str:
        lines = ["# The networks to train and compare: LSTM layers, and neurons in each."]
        if len(self.languages) > 1:
            lines.append("# The languages share the upper layers (cascade), or the lower ones.")
        lines += ["systems:", "  plain:   {layers: [4], neurons: 100}"]
        if len(self.languages) > 1:
            lines.append("  cascade: {layers: [2, 2], neurons: 100}")
            lines.append("  lower:   {layers: [2, 2], neurons: 100, share: lower}")
        return "\n".join(lines)

    def _train(self) -> str:
        train = training(self.hours)
        passes = train["steps"] * train["batch_seconds"] / (3600 * self.hours)
        speech = f"{self.hours:.1f} h" if self.hours >= 1 else f"{60 * self.hours:.1f} min"
        lines = [
            f"# {speech} of the target's speech: some {passes:,.0f} passes through it.",
            "# More steps help where the error on valid still falls at the end; more dropout where",
            "# it rises. batch_seconds: speech of each language in a step.",
        ]
        lines += ["train:", *(f"  {key}: {_flow(value)}" for key, value in train.items())]
        return "\n".join(lines)

    def _language_model(self) -> str:
        order = 3 if self.words >= 5000 else 2
        # Pieces gain nothing beside a dictionary (docs/evidence/trials.md).
        spelt = self.hours >= SMALL and "dictionaries" not in self._texts(self.target)
        text = (
            "# Of words, from the training transcripts and the target's `texts`: with few words,\n"
            "# a low order. open: words that none of them has are spelt from pieces.\n"
            f"language_model: {_flow({'order': order, 'open': spelt})}"
        )
        if self.hours < SMALL:
            text += "\n\n# With so little, the search for scales and penalties is slow.\n"
            text += "decode: {tune: false}"
        return text


def training(hours: float) -> dict[str, Any]:
    """Settings of the training for so much speech of the target.

    Up to `MEASURED` those of recipes/ru_en, which were tried with 15 and 80 minutes; beyond,
    `PASSES` in batches that grow with the speech.
    """
    if hours < SMALL:
        masks = {"time_masks": 0, "filter_masks": 0}
        few = {"steps": 900, "batch_seconds": 10, "learning_rate": 0.003, "dropout": 0.1}
        return {**few, "valid_every": 150, "augment": masks}
    batch = 40 if hours <= 10 else 80 if hours <= 50 else 160
    steps = 5000
    if hours > MEASURED:
        steps = max(steps, 1000 * math.ceil(PASSES * hours * 3600 / batch / 1000))
    every = max(200, steps // 50)
    return {
        "steps": steps,
        "batch_seconds": batch,
        "learning_rate": 0.003,
        "dropout": 0.15,
        "valid_every": every,
    }


def _flow(value: Any) -> str:
    """YAML on one line."""
    text = yaml.safe_dump(
        value, default_flow_style=True, allow_unicode=True, width=math.inf, sort_keys=False
    )
    return text.removesuffix("\n").removesuffix("\n...").strip()

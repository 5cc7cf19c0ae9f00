"""The text of a new recipe: data sets, settings that suit the amount of data, and comments."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import yaml

from cascade.config.schema import as_plain
from cascade.config.sections import Dataset, Language, Split

MARK = "cascade new-recipe"  # a recipe with these words was written by this command
SMALL = 0.1  # hours; below, a training is only a trial, like recipes/mini
MEASURED = 2.0  # hours; up to here the settings are those of recipes/ru_en_pair
PASSES = 20  # through the training speech, if there is more
WEIGHT = 0.2  # of the loss of each other language, where all layers are shared
HELD_BACK = 85.0  # from here to 100, the borrowed voices and their sentences are for valid


@dataclass(frozen=True)
class ExistingSettings:
    """How ``recipe`` sets up a language. ``together``: it has all languages of the new recipe."""

    recipe: str
    language: Language
    together: bool


@dataclass(frozen=True)
class Draft:
    """What a recipe is written from.

    ``language_names`` and ``origins`` (a phrase on where the data come from) are by language.
    ``existing`` has the settings of other recipes; comments show those that are not used.
    ``rate`` is in Hz. ``hours`` are of the target's training speech, ``words`` its running
    words. ``max_excluded`` is in per cent; 0 is the default. ``borrowed`` is the minutes of
    borrowed voices, ``texts`` are the user's files for the language model.
    """

    name: str
    target: str
    datasets: Sequence[Dataset]
    languages: Mapping[str, Language]
    language_names: Mapping[str, str]
    origins: Mapping[str, str]
    existing: Mapping[str, ExistingSettings]
    rate: int
    hours: float
    words: int
    max_excluded: int
    borrowed: int = 0
    texts: Sequence[str] = ()

    @property
    def others(self) -> list[str]:
        """The languages that are not the target."""
        return [name for name in self.languages if name != self.target]

    def text(self) -> str:
        """Return the recipe: YAML with comments."""
        parts = [self._head(), self._datasets(), self._languages(), self._limits()]
        parts += [self._features(), self._systems(), self._train(), self._language_model()]
        return "\n\n".join(part for part in parts if part) + "\n"

    def _head(self) -> str:
        beside = [self.language_names[name] for name in self.others]
        beside += ["borrowed voices"] * bool(self.borrowed)
        title = self.language_names[self.target]
        title += f", trained with {' and '.join(beside)}" if beside else ""
        return f"""\
# {title}.
#
# Written by `{MARK}`. Change what you like: docs/reference/keys.md lists all
# keys and their defaults. For one run, give a key as an option:
# ./run.sh --recipe {self.name} --train.steps 2000

target: {_flow(self.target)}
seed: 0                  # of the initial weights and of the order of the training speech
target_minutes: all      # or how many minutes of the target's training speech to use"""

    def _datasets(self) -> str:
        lines = [
            "# train and train_ext train the networks, valid chooses the model, test is decoded."
        ]
        lines += [f"# {name}: {' '.join(why.split())}." for name, why in self.origins.items()]
        if any(dataset.split for dataset in self.datasets):
            lines += [
                "# split: each speaker, utterance or sentence has a number from 0 to 100, a hash.",
                "# A part has those between two numbers. New recordings move no others.",
            ]
        if self.borrowed:
            lines += [
                "# voices: synthetic voices of other languages read texts of the target. Stage 0",
                f"# makes {self.borrowed} minutes. They are a stream of their own.",
            ]
        if self._untranscribed:
            lines.append(
                "# train_untranscribed: speech whose transcripts are not used, if there are any."
            )
        lines.append("datasets:")
        for dataset in (*self.datasets, *self._voices()):
            row = {key: value for key, value in vars(dataset).items() if value}
            if dataset.split:
                between = [int(x) if x == int(x) else x for x in dataset.split.between]
                row["split"] = {**vars(dataset.split), "between": between}
            lines.append(f"  - {_flow(row)}")
        return "\n".join(lines)

    def _voices(self) -> list[Dataset]:
        """Return the data sets of the borrowed voices: to train on, and for valid."""
        if not self.borrowed:
            return []
        heard = Dataset(
            "train_ext",
            self.target,
            "voices",
            stream="borrowed",
            name="borrowed_voices",
            voices="borrowed",
            minutes=self.borrowed,
            split=Split((0.0, HELD_BACK)),
        )
        return [heard, replace(heard, role="valid", stream="", split=Split((HELD_BACK, 100.0)))]

    def _languages(self) -> str:
        lines = [
            "# letters: of the words; a transcript with other letters is left out.",
            "# voice: of espeak-ng, for pronunciations; lexicon: your own, `word phone phone ...`.",
            "# phone_map: renames phones, so that languages share phones that sound alike; see",
            f"# `cascade phones {self.name}`.",
            "languages:",
        ]
        for name, language in self.languages.items():
            lines.append(f"  {_flow(name)}:")
            lines.append(f"    letters: {_flow(language.letters)}")
            lines.append(f"    voice: {_flow(language.voice)}   # {self.language_names[name]}")
            for key in ("lexicon", "fold", "phone_map", "hints"):
                if value := getattr(language, key):
                    lines.append(f"    {key}: {_flow(as_plain(value))}")
            lines += [f"    {line}" for line in self._free_texts(name)]
            lines += [f"    # {line}" for line in self._suggestions(name)]
        return "\n".join(lines)

    def _texts(self, name: str) -> dict[str, tuple[str, ...]]:
        """Return the texts and dictionaries that another recipe has for the target."""
        if name != self.target or name not in self.existing:
            return {}
        language = self.existing[name].language
        keys = ("texts", *["read_aloud"] * bool(self.borrowed), "dictionaries")
        return {key: value for key in keys if (value := getattr(language, key))}

    def _free_texts(self, name: str) -> list[str]:
        """Return lines for texts and dictionaries. A trial has no large downloads."""
        found = self._texts(name) if self.hours >= SMALL else {}
        lines = []
        if found:
            lines = [f"# as in recipes/{self.existing[name].recipe}; they will be downloaded"]
        if self.texts and name == self.target:
            found = {**found, "texts": (*found.get("texts", ()), *self.texts)}
        return lines + [f"{key}: {_flow(as_plain(value))}" for key, value in found.items()]

    def _suggestions(self, name: str) -> list[str]:
        """Return further settings that a language may have, for comments."""
        if name not in self.existing:
            lacking = name == self.target and not self.texts
            return ["texts: [sentences.txt]   # for the language model"] * lacking
        existing = self.existing[name]
        unused: dict[str, Any] = dict(self._texts(name)) if self.hours < SMALL else {}
        if not existing.together:
            keys = ("lexicon", "fold", "phone_map")
            unused |= {key: getattr(existing.language, key) for key in keys}
        lines = [f"{key}: {_flow(as_plain(value))}" for key, value in unused.items() if value]
        return [f"recipes/{existing.recipe} also has:"] * bool(lines) + lines

    def _limits(self) -> str:
        if not self.max_excluded:
            return ""
        return (
            "# The share of a data set that may fail the checks (default: 5%), by what new-recipe\n"
            "# found. exp/NAME/excluded.tsv lists each utterance that is left out.\n"
            f"limits: {{max_excluded: {self.max_excluded}%}}"
        )

    def _features(self) -> str:
        return (
            "# rate: recordings are resampled to it, in Hz. The network's input is `stack` frames\n"
            "# of 10 ms. cmn: utterance, or online for live recognition.\n"
            f"features: {{rate: {self.rate}, filters: 40, stack: 3, cmn: utterance}}"
        )

    def _systems(self) -> str:
        lines = ["# The networks to train and compare: LSTM layers, and neurons in each."]
        own = f", languages: {_flow(self.others)}" if self.borrowed else ""
        systems = {"plain": "layers: [4], neurons: 100"}
        if self.others:
            lines.append("# cascade: the languages share the upper layers.")
            systems["cascade"] = f"layers: [2, 2], neurons: 100{own}"
        if self.borrowed or len(self.others) > 1:
            lines.append("# deep: all layers are shared, and each language has its own output.")
            if self.others:
                lines.append("# seconds, weights: the others must not outweigh the target.")
            systems["deep"] = f"layers: [4, 0], neurons: 100, share: lower{self._balance()}"
        elif self.others:
            lines.append("# lower: the languages share the lower layers.")
            systems["lower"] = "layers: [2, 2], neurons: 100, share: lower"
        if self._untranscribed:
            lines.append("# teacher: it recognises the speech without transcripts, to train on.")
            best = list(systems)[-1]
            systems["plain2"] = f"{systems['plain']}, pool: [untranscribed], teacher: plain"
            if best != "plain":
                systems[f"{best}2"] = f"{systems[best]}, teacher: {best}"
        rows = [f"  {f'{name}:':<9}{{{settings}}}" for name, settings in systems.items()]
        return "\n".join([*lines, "systems:", *rows])

    @property
    def _untranscribed(self) -> bool:
        return any(dataset.role == "train_untranscribed" for dataset in self.datasets)

    def _balance(self) -> str:
        """Return how much other languages count where all layers are shared, as in ru_many."""
        if not self.others:
            return ""
        batch = training(self.hours)["batch_seconds"]
        seconds = max(batch // 5, batch // (1 + len(self.others)))
        each = {
            "seconds": dict.fromkeys(self.others, seconds),
            "weights": dict.fromkeys(self.others, WEIGHT),
        }
        return f",\n            train: {_flow(each)}"

    def _train(self) -> str:
        train = training(self.hours)
        passes = train["steps"] * train["batch_seconds"] / (3600 * self.hours)
        speech = f"{self.hours:.1f} h" if self.hours >= 1 else f"{60 * self.hours:.1f} min"
        lines = [
            f"# {speech} of the target's training speech: about {passes:,.0f} passes through it.",
            "# More steps help if the error on valid still falls at the end, more dropout if it",
            "# rises. batch_seconds: speech of each language in a step.",
        ]
        if self._untranscribed:
            lines += [
                "# min_confidence: of the words of an utterance without a transcript, on average;",
                "# the others are left out. weights: such speech counts less.",
            ]
            train |= {"min_confidence": 0.5, "weights": {"untranscribed": 0.5}}
        lines += ["train:", *(f"  {key}: {_flow(value)}" for key, value in train.items())]
        return "\n".join(lines)

    def _language_model(self) -> str:
        order = 3 if self.words >= 5000 or self.texts else 2
        # Pieces gain nothing beside a dictionary (docs/evidence/trials.md).
        spelt = self.hours >= SMALL and "dictionaries" not in self._texts(self.target)
        text = (
            "# An n-gram model of words, from the training transcripts and the target's `texts`.\n"
            "# Few words need a low order. open: other words can be spelt from pieces.\n"
            f"language_model: {_flow({'order': order, 'open': spelt})}"
        )
        if self.hours < SMALL:
            text += "\n\n# With so little speech, the search for scales and penalties is slow.\n"
            text += "decode: {tune: false}"
        return text


def training(hours: float) -> dict[str, Any]:
    """Return the settings of the training for ``hours`` of the target's speech.

    Up to `MEASURED` they are those of recipes/ru_en_pair, which were tried with 15 and 80 minutes.
    Above, they give `PASSES` through the speech, in batches that grow with it.

    >>> training(100)["steps"], training(100)["batch_seconds"]
    (45000, 160)
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
    """Return YAML on one line."""
    text = yaml.safe_dump(
        value, default_flow_style=True, allow_unicode=True, width=math.inf, sort_keys=False
    )
    return text.removesuffix("\n").removesuffix("\n...").strip()

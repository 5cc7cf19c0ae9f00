"""The results of a recipe: ``results.json``, ``RESULTS.md`` and ``DETAILS.md``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cascade.report.details_page import details_page
from cascade.report.results_page import Speakers, results_page
from cascade.runtime.errors import UserError
from cascade.runtime.files import write_json, write_text
from cascade.scoring.speechbox import KEYS, Counts


@dataclass(frozen=True)
class SystemResult:
    """A system on a test set.

    Attributes:
        layers: As in the recipe: ``(4,)``, ``(2, 2)``.
        neurons: Of a layer.
        encoder: The kind of its layers.
        cascade: Whether other languages trained it, too.
        counts: Its errors.
        model_kb: The size of its model in KiB.
        share: Of a cascade, the layers that the languages share: ``upper``, ``lower``, ``all``.
        teacher: The system that recognised speech without transcripts for it.
        untranscribed: The data sets of that speech.
        characters: Substituted, deleted and inserted characters of words, and all of them.
    """

    layers: Sequence[int]
    neurons: int
    cascade: bool
    counts: Counts
    model_kb: int | None = None
    share: str | None = None
    teacher: str | None = None
    untranscribed: Sequence[str] = ()
    characters: tuple[int, int] | None = None
    encoder: str = "lstm"


@dataclass(frozen=True)
class TestResult:
    """A test set: how many files it has, and the result of each system.

    ``extra`` has more figures: ``oov``, running words that the vocabulary lacks, in per cent;
    ``adapted``, by system to how many speakers it adapted, where systems do; ``open``, if words
    that the vocabulary lacks are spelt from pieces; ``unspaced``, if the language writes no
    spaces; ``oracle``, the word error rates that the reference phones give; ``phone_ngram``, by
    system the phone errors of the search with a phone n-gram; ``confidence``, by system what
    `cascade.scoring.confidence.nce_and_auc` returns; and what
    `cascade.report.comparisons.compare_systems` returns.
    """

    __test__ = False  # not a test case of pytest

    files: int
    systems: Mapping[str, SystemResult]
    extra: Mapping[str, Any] = field(default_factory=dict)


def results_json(
    recipe: str,
    seed: int,
    tests: Mapping[str, TestResult],
    training: Mapping[str, Mapping[str, Any]],
) -> dict[str, Any]:
    """Return the content of ``results.json``. Rates are in per cent, with four decimals.

    ``training`` has for each system what `cascade.report.training_curves.trained` returns.

    Raises `UserError` if the systems were scored against different references.
    """
    return {
        "recipe": recipe,
        "seed": seed,
        "tests": {name: _test(name, test) for name, test in tests.items()},
        "training": {system: dict(figures) for system, figures in training.items()},
    }


def write(
    folder: Path,
    results: Mapping[str, Any],
    environment: Mapping[str, Any],
    speakers: Mapping[str, Speakers],
) -> None:
    """Write ``results.json``, ``RESULTS.md`` and ``DETAILS.md`` into ``folder``.

    For ``environment`` and ``speakers`` see `cascade.report.results_page.results_page`.
    """
    write_json(folder / "results.json", results)
    write_text(folder / "RESULTS.md", results_page(results, environment, speakers))
    write_text(folder / "DETAILS.md", details_page(results))


def _test(name: str, test: TestResult) -> dict[str, Any]:
    for key, attribute in (("words", "all_words"), ("phones", "all_phones")):
        totals = {s: getattr(r.counts, attribute) for s, r in test.systems.items()}
        if len({n for n in totals.values() if n is not None}) > 1:
            each = ", ".join(f"{system} {n}" for system, n in totals.items())
            raise UserError(
                f"The systems were scored on different numbers of reference {key} of "
                f"'{name}' ({each}). Run stages 4 and 5 again with --force."
            )
    doubled = {"files", "systems"} & set(test.extra)
    if doubled:
        raise ValueError(f"extra figures of test '{name}' have the names of others: {doubled}")
    systems = {system: _system(result) for system, result in test.systems.items()}
    return {"files": test.files, "systems": systems, **test.extra}


def _system(result: SystemResult) -> dict[str, Any]:
    c = result.counts
    rates = {"WER": c.wer, "WERc": c.werc, "PER": c.per, "PERc": c.perc}
    return {
        "layers": "+".join(str(n) for n in result.layers),
        "neurons": result.neurons,
        **({} if result.encoder == "lstm" else {"encoder": result.encoder}),
        "cascade": result.cascade,
        "share": result.share,
        **_speech_without_transcripts(result),
        **{key.replace(" ", "_"): getattr(c, field) for key, field in KEYS.items()},
        **{key: None if rate is None else round(rate, 4) for key, rate in rates.items()},
        **_character_errors(result),
        "memory_mb": c.memory_mb,
        "model_kb": result.model_kb,
    }


def _speech_without_transcripts(result: SystemResult) -> dict[str, Any]:
    if result.teacher is None:
        return {}
    return {"teacher": result.teacher, "untranscribed": list(result.untranscribed)}


def _character_errors(result: SystemResult) -> dict[str, Any]:
    """Return the errors of characters and their rate, which spaces between words do not change."""
    if result.characters is None:
        return {}
    errors, total = result.characters
    rate = round(100 * errors / total, 4) if total else None
    return {"CHAR_ERRORS": errors, "ALL_CHARS": total, "CER": rate}

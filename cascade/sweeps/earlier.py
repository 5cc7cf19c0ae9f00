"""The published sweep of a recipe, to which another one adds values (``--add``)."""

import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from cascade.runtime.errors import UserError
from cascade.sweeps.plan import Point, rank
from cascade.sweeps.results import FIGURES, JUDGED, PAGE, Entry
from cascade.sweeps.significance import SweepComparison

COMMIT = re.compile(r"^- commit: (\S+)$", re.MULTILINE)


class Earlier(NamedTuple):
    """The entries and comparisons of an earlier sweep."""

    entries: Sequence[Entry] = ()
    comparisons: Sequence[SweepComparison] = ()

    def beside(self, points: Sequence[Point], key: str) -> "Earlier":
        """Return what stays beside the finished ``points`` of a new sweep.

        That is each value of ``key`` of which the new sweep has fewer seeds yet.
        """
        new = Counter(point.swept[key] for point in points)
        stay = {value for value, seeds in self.seeds(key).items() if seeds > new[value]}
        return Earlier(
            [entry for entry in self.entries if entry[key] in stay],
            [one for one in self.comparisons if one[key] in stay],
        )

    def seeds(self, key: str) -> dict[Any, int]:
        """Return how many seeds each value of ``key`` has."""
        pairs = {(entry[key], entry["seed"]) for entry in self.entries}
        return Counter(value for value, _ in pairs)


def read_earlier(folder: Path, plan: Sequence[Point]) -> Earlier:
    """Read the published sweep of a recipe; its entries get the ``commit`` that made them.

    Raises `UserError` where there is none, where it is damaged, where it is of another key, other
    systems or other tests than ``plan``, and where it has more seeds of a value.
    """
    path = folder / FIGURES
    if not path.is_file():
        raise UserError(f"--add: there is no sweep to add to: {path} is missing.")
    ((key, _),) = plan[0].values
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        comparisons = json.loads((folder / JUDGED).read_text(encoding="utf-8"))
        made_by = COMMIT.search((folder / PAGE).read_text(encoding="utf-8"))
        commit = made_by[1] if made_by else "unknown"
        if any(key not in one for one in (*entries, *comparisons)):
            raise KeyError(key)
        entries = [{**entry, "commit": entry.get("commit", commit)} for entry in entries]
        earlier = [{entry[column] for entry in entries} for column in ("system", "test")]
    except KeyError as error:
        raise UserError(f"--add: {path} lacks {error}: it is a sweep over another key.") from None
    except (OSError, ValueError, TypeError):
        raise UserError(f"--add: {path} or a file beside it is damaged.") from None
    own = [
        {system for point in plan for system in point.recipe.systems},
        {test.label for point in plan for test in point.recipe.tests},
    ]
    for column, found, asked in zip(("systems", "tests"), earlier, own, strict=True):
        if found != asked:
            raise UserError(
                f"--add: {path} has the {column} {', '.join(sorted(found))}; this sweep has"
                f" {', '.join(sorted(asked))}. They must be the same."
            )
    published = Earlier(entries, comparisons)
    planned = Counter(point.swept[key] for point in plan)
    for value, seeds in published.seeds(key).items():
        if 0 < planned[value] < seeds:
            raise UserError(
                f"--add: {path} has {seeds} seeds of {key} {value}, more than this sweep. Give"
                f" --seeds {seeds}, or leave {value} out."
            )
    return published


def joined(earlier: Sequence[Any], new: Sequence[Any], key: str) -> list[Any]:
    """Return the entries of both sweeps, sorted by the value of ``key``."""
    return sorted([*earlier, *new], key=lambda entry: rank(str(entry[key])))

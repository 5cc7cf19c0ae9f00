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
        seeds: dict[str, set[int]] = {}
        for entry in self.entries:
            seeds.setdefault(str(entry[key]), set()).add(entry["seed"])
        new = Counter(str(point.swept[key]) for point in points)
        stay = {value for value, own in seeds.items() if len(own) > new[value]}
        return Earlier(
            [entry for entry in self.entries if str(entry[key]) in stay],
            [one for one in self.comparisons if str(one[key]) in stay],
        )


def read_earlier(folder: Path, plan: Sequence[Point]) -> Earlier:
    """Read the published sweep of a recipe; its entries get the ``commit`` that made them.

    Raises `UserError` where there is none, where it is damaged, and where it is of another key,
    other systems or other tests than ``plan``.
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
    return Earlier(entries, comparisons)


def joined(earlier: Sequence[Any], new: Sequence[Any], key: str) -> list[Any]:
    """Return the entries of both sweeps, sorted by the value of ``key``."""
    return sorted([*earlier, *new], key=lambda entry: rank(str(entry[key])))

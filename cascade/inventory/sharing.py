"""Which phones two languages share, which only one has, and the nearest phones to those."""

from dataclasses import dataclass

from cascade.inventory.distance import Neighbour, nearest_phones
from cascade.inventory.phone_counts import Inventory


@dataclass(frozen=True)
class PhoneOverlap:
    """The phones of a target language beside those of another one, to train with it.

    ``nearest_in_other`` maps each phone that only the target has to the other's nearest one;
    ``nearest_in_target`` does the reverse. Phones without features are in neither.
    """

    target: Inventory
    other: Inventory
    nearest_in_other: dict[str, Neighbour]
    nearest_in_target: dict[str, Neighbour]

    @property
    def shared(self) -> list[str]:
        """The phones that both have, sorted."""
        return sorted(self.target.phones & self.other.phones)

    def within(self, limit: float) -> list[str]:
        """Return the target's own phones with a neighbour at most ``limit`` features away."""
        return [p for p, near in self.nearest_in_other.items() if near.distance <= limit]

    def covered(self, limit: float | None = None) -> float:
        """Return the share of the target's running phones, in per cent, that the other has.

        With a ``limit``, a phone counts too if the other has one at most so many features away.
        """
        phones = [*self.shared, *(self.within(limit) if limit is not None else ())]
        return 100 * sum(self.target.counts[phone] for phone in phones) / self.target.total


def compare_phones(target: Inventory, other: Inventory) -> PhoneOverlap:
    """Compare the phones of two languages.

    >>> ru, en = Inventory("ru", {"a": 3, "tʲ": 1}, ""), Inventory("en", {"a": 5, "t": 2}, "")
    >>> overlap = compare_phones(ru, en)
    >>> overlap.shared, overlap.nearest_in_other["tʲ"].phone
    (['a'], 't')
    >>> overlap.covered(), overlap.covered(limit=1)
    (75.0, 100.0)
    """
    only_target, only_other = target.phones - other.phones, other.phones - target.phones
    return PhoneOverlap(
        target,
        other,
        nearest_phones(only_target, other.phones),
        nearest_phones(only_other, target.phones),
    )

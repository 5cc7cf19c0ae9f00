"""Which phones languages share, which are one's own, and what comes nearest to those."""

from dataclasses import dataclass

from cascade.inventory.distance import Neighbour, nearest
from cascade.inventory.phone_counts import Inventory


@dataclass(frozen=True)
class Comparison:
    """A target language beside another one that could be trained with it.

    ``near`` holds the other's phone nearest to each of the target's own, ``back`` the
    target's nearest to each of the other's own; phones without features are in neither.
    """

    target: Inventory
    other: Inventory
    near: dict[str, Neighbour]
    back: dict[str, Neighbour]

    @property
    def shared(self) -> list[str]:
        """Phones that both have, sorted."""
        return sorted(self.target.phones & self.other.phones)

    def within(self, limit: float) -> list[str]:
        """The target's own phones whose nearest neighbour is no farther than ``limit``."""
        return [phone for phone, near in self.near.items() if near.distance <= limit]

    def covered(self, limit: float | None = None) -> float:
        """The share of the target's running phones, in per cent, that the other has.

        With a ``limit``, each own phone of the target's may be replaced by a neighbour
        no farther than that.
        """
        phones = [*self.shared, *(self.within(limit) if limit is not None else ())]
        return 100 * sum(self.target.counts[phone] for phone in phones) / self.target.total


def compare(target: Inventory, other: Inventory) -> Comparison:
    """Compares two languages."""
    mine, theirs = target.phones, other.phones
    return Comparison(target, other, nearest(mine - theirs, theirs), nearest(theirs - mine, mine))

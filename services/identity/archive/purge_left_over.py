"""What is left over of a record that a legal hold has brought into the archive, once the hold is released.

A held record comes in with everything, also with bases that the archive is no holder of, such as that of the membership.
All of those were over when it came, so they go at the next plan, each under its own category.
"""

from chassis.policy.retention import Basis
from services.identity.purge_records import EndedBases


class LeftOver(EndedBases):
    """The archive's part in chassis.purge of a category that it is no holder of."""

    def ended(self, basis: Basis) -> str:
        """Return that each of them is over, whatever its dates."""
        return "TRUE"

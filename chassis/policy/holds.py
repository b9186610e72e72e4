"""Legal holds (보존 조치) in chapter 4: which articles can ground one, and how often its need is looked at.

A hold is an order of an authority about certain data; what the order says is not policy and stands in retention's register.
No general article allows one: each needs an article of another law (법 제21조 제1항 단서).
"""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from chassis.policy.model import Named, Table


class Ground(Named):
    """An article that can ground a hold. ``certainty``: as a category has it, whether the law's own text was read."""

    certainty: Literal["verified", "secondary"]


class Holds(Table):
    """The table ``holds``.

    ``longest_review_months``: a hold's day of review is at most so many months ahead. ``purpose``: the one under which
    holds are placed and what is held is read. ``articles``: by the name that a hold states.
    """

    longest_review_months: int = Field(gt=0, le=6)
    purpose: str
    articles: Mapping[str, Ground] = Field(min_length=1)

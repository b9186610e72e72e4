"""Chapter 1 of the policy: which items are collected, when, whether they must be given, and over which channels.

An item (개인정보 항목) is what a personal field of the contract names in its ``personal`` option; the contract tests hold
the two together. Groups are the rows of 제1조 as published.
"""

from collections.abc import Iterator, Mapping
from typing import ClassVar, Self

from pydantic import Field, model_validator

from chassis.policy.chapter import Chapter
from chassis.policy.model import Named, Table


class Item(Named):
    """A kind of personal data.

    ``korean``, ``english``: its name where it stands alone. ``published``: as 제1조 has it, where the group already says
    whose it is. ``part``: the key of the part that it is printed within. ``fields``: the fields of the contract that
    hold it, ``Message.field``; where nothing holds it yet, ``gap`` names a line of ``docs/policy-gaps.md`` instead.
    """

    published: str
    published_english: str
    part: str = Field(default="", min_length=0)
    fields: tuple[str, ...] = ()
    gap: str = Field(default="", min_length=0)

    @model_validator(mode="after")
    def _held_or_gap(self) -> Self:
        if bool(self.fields) == bool(self.gap):
            raise ValueError("an item has the fields that hold it, or the gap that says why none does")
        return self


class Heading(Named):
    """What groups stand under: the paragraph of the policy that publishes them."""

    article: str


class Group(Named):
    """Items that are asked for together.

    ``heading``: the key of what it stands under. ``whose``: whose data it is. ``purposes``: what the items are collected
    for. ``required``: without them there is no such service (필수 항목). ``one_of``: any one of the items will do (또는).
    ``items``: keys of items, in the published order.
    """

    heading: str
    whose: Named
    purposes: tuple[str, ...] = Field(min_length=1)
    required: bool
    one_of: bool
    items: tuple[str, ...] = Field(min_length=1)


class ChannelLine(Table):
    """One number of 제2조: ways (수집방법) in which items come in, in the published order."""

    korean: tuple[str, ...] = Field(min_length=1)
    english: tuple[str, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _same_ways(self) -> Self:
        if len(self.korean) != len(self.english):
            raise ValueError("as many ways in English as in Korean")
        return self


class Collection(Chapter):
    """The file ``chapters/1-collection.toml``.

    ``refusal_bars_service``: whether somebody who refuses optional items is refused the service (제1조 ③; 법 제16조 제3항
    says no).
    """

    ARTICLES: ClassVar[tuple[str, ...]] = ("제1조", "제2조")

    refusal_bars_service: bool
    channels: tuple[ChannelLine, ...] = Field(min_length=1)
    parts: Mapping[str, Named]
    headings: Mapping[str, Heading]
    groups: Mapping[str, Group]
    items: Mapping[str, Item]

    def item_of(self, field: str) -> str | None:
        """Key of the item that a field of the contract (``Message.field``) holds; None where no item names it."""
        return next((key for key, item in self.items.items() if field in item.fields), None)

    def faults(self) -> Iterator[tuple[str, str]]:
        """What within the chapter does not fit together: (key, reason)."""
        for key in set(self.headings) - {group.heading for group in self.groups.values()}:
            yield f"headings.{key}", "no group stands under it"
        holder: dict[str, str] = {}
        for key, item in self.items.items():
            for field in item.fields:
                if holder.setdefault(field, key) != key:
                    yield f"items.{key}.fields", f"{field} is the item {holder[field]!r} already"
        for key in set(self.parts) - {item.part for item in self.items.values()}:
            yield f"parts.{key}", "no item is part of it"

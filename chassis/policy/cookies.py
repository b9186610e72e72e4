"""Chapter 7 of the policy: what cookies are for, and how to refuse them."""

from typing import ClassVar

from pydantic import Field

from chassis.policy.chapter import Chapter
from chassis.policy.model import Named, Table


class Instructions(Table):
    """How to refuse cookies in one browser (제14조 ③): the menu steps, in order."""

    browser: str
    steps: tuple[Named, ...] = Field(min_length=1)


class Cookies(Chapter):
    """The file ``chapters/7-cookies.toml``.

    ``identifying``: whether a cookie gathers by itself what identifies somebody. ``refusable``: whether it can be
    refused or deleted at any time. ``observed``: what is looked at (제13조), for ``aim``. ``choices``: what a browser can
    be set to (제14조 ①). ``consequence``: of refusing (제14조 ②).
    """

    ARTICLES: ClassVar[tuple[str, ...]] = ("제12조", "제13조", "제14조")

    identifying: bool
    refusable: bool
    stored_on: Named
    observed: tuple[Named, ...] = Field(min_length=1)
    aim: Named
    choices: tuple[Named, ...] = Field(min_length=1)
    consequence: Named
    instructions: Instructions

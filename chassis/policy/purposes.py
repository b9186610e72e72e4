"""Chapter 2 of the policy: what personal data may be used for, and the consents that some of it stands on.

A purpose (이용목적) is what a caller states; access.toml says who may state which. Purposes of kind "contract" and
"consent" are those of 제3조 to 제5조; "law" is what a statute has records kept for, "duty" what the law has us do.
"""

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from chassis.policy.chapter import Chapter
from chassis.policy.model import Named


class Purpose(Named):
    """What data is used for.

    ``article``: of this policy or of a law. ``aims``, ``aims_english``: what it comprises, as published (제3조 to 제5조).
    ``consent``: the consent without which nobody is seen under it. ``full_view``: items that an answer may show in
    full; all others stay masked.
    """

    article: str
    kind: Literal["contract", "consent", "law", "duty"]
    aims: tuple[str, ...] = ()
    aims_english: tuple[str, ...] = ()
    consent: str = Field(default="", min_length=0)
    full_view: tuple[str, ...]

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.kind == "consent") != bool(self.consent):
            raise ValueError("a purpose of kind consent names its consent, no other does")
        if (self.kind in ("contract", "consent")) != bool(self.aims):
            raise ValueError("a purpose of kind contract or consent is published with its aims, no other is")
        if len(self.aims) != len(self.aims_english):
            raise ValueError("as many aims in English as in Korean")
        return self


class Consent(Named):
    """A consent (동의) that can be given and withdrawn by itself.

    ``required``: whether the service depends on it (법 제22조 제1항 has them told apart). ``article``: where the policy
    speaks of it. ``text_korean``, ``text_english``: what is shown when it is asked for. ``items``: what it covers.
    """

    required: bool
    article: str
    text_korean: str
    text_english: str
    items: tuple[str, ...] = Field(min_length=1)


class Purposes(Chapter):
    """The file ``chapters/2-purposes.toml``."""

    ARTICLES: ClassVar[tuple[str, ...]] = ("제3조", "제4조", "제5조")

    purposes: Mapping[str, Purpose]
    consents: Mapping[str, Consent]

    def faults(self) -> Iterator[tuple[str, str]]:
        """What within the chapter does not fit together: (key, reason)."""
        for key, purpose in self.purposes.items():
            if purpose.kind in ("contract", "consent") and purpose.article not in self.clauses:
                yield f"purposes.{key}.article", f"{purpose.article!r} is no article of this chapter"
        for article in self.clauses:
            if all(purpose.article != article for purpose in self.purposes.values()):
                yield f"clauses.{article}", "no purpose of this article"

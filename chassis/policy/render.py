"""The published text (개인정보처리방침) made from the data: every fact comes from the policy, templates bring the words.

Templates lie in ``policy/text``: one folder a language, and one file of macros a form (plain text, HTML).
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from chassis.policy.collection import Collection, Group
from chassis.policy.privacy_policy import PrivacyPolicy
from chassis.policy.retention import Category
from chassis.policy.wording import WORDS, Language

TEXTS = Path(__file__).resolve().parents[2] / "policy" / "text"
_APART = re.compile(r"[ \t]*\n(?:[ \t]*\n)+")
_NOT_PUBLISHED = ("elsewhere",)


def render(policy: PrivacyPolicy, language: Language, html: bool, texts: Path = TEXTS) -> str:
    """Return the whole policy, 전문 to 부칙, as Markdown or as an HTML page of its own.

    Raises jinja2.TemplateError when a template asks for what the policy does not have.
    """
    return _fill("policy.j2", policy, language, html, texts)


def consent_text(policy: PrivacyPolicy, consent: str, language: Language, texts: Path = TEXTS) -> str:
    """Return what is shown when a consent is asked for: aim, items, period, right to refuse (법 제15조 제2항).

    Raises KeyError for a consent that the policy does not have.
    """
    standing = [key for key, category in policy.retention.categories.items() if category.consent == consent]
    asked = policy.purposes.consents[consent]
    return _fill("consent.j2", policy, language, False, texts, asked=asked, standing=standing)


def _fill(template: str, policy: PrivacyPolicy, language: Language, html: bool, texts: Path, **more: Any) -> str:
    environment = Environment(
        loader=FileSystemLoader(texts),
        undefined=StrictUndefined,
        autoescape=html,  # noqa: S701  # plain text has nothing to escape; the page escapes all
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        WORDS[language],
        form="html.j2" if html else "plain.j2",
        policy=policy,
        names=lambda group: list(names(policy.collection, group, language)),
        items_of=lambda category: list(items_of(policy.collection, category, language)),
        annex=annex(policy),
    )
    text = environment.get_template(f"{language}/{template}").render(**more)
    return _APART.sub("\n\n", text).strip() + "\n"


def names(collection: Collection, group: Group, language: Language) -> Iterator[str]:
    """Yield the items of a group as 제1조 has them, those that are part of something within its brackets."""
    done: set[str] = set()
    for key in group.items:
        item = collection.items[key]
        if not item.part:
            yield item.published if language == "ko" else item.published_english
        elif item.part not in done:
            done.add(item.part)
            part = collection.parts[item.part]
            within = [each for each in map(collection.items.__getitem__, group.items) if each.part == item.part]
            if language == "ko":
                yield f"{part.korean}({', '.join(each.published for each in within)})"
            else:
                yield f"{part.english} ({', '.join(each.published_english for each in within)})"


def items_of(collection: Collection, category: Category, language: Language) -> Iterator[str]:
    """Yield the names of the items that a category keeps (보존 항목), each once."""
    keys = dict.fromkeys(collection.item_of(field) for field in category.keeps)
    for key in keys:
        if key is not None:
            item = collection.items[key]
            yield item.korean if language == "ko" else item.english


def annex(policy: PrivacyPolicy) -> dict[str, Category]:
    """Return the categories of the annex to 제8조 (법 제30조 제1항 제3호의2): those in force that hold what is collected."""
    return {
        key: category
        for key, category in policy.retention.categories.items()
        if category.store not in _NOT_PUBLISHED and (not category.requires or getattr(policy.owner, category.requires))
    }

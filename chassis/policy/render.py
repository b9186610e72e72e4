"""The published text (개인정보처리방침) made from the data: every fact comes from the policy, templates bring the words.

Templates lie in ``policy/text``: one folder a language, and one file of macros a form (plain text, HTML).
"""

import re
import traceback
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, get_args

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError, TemplateNotFound, TemplateSyntaxError

from chassis.policy.calendar import period_in_force
from chassis.policy.collection import Collection, Group
from chassis.policy.faults import Fault
from chassis.policy.privacy_policy import PrivacyPolicy
from chassis.policy.retention import Category
from chassis.policy.wording import WORDS, Language

TEXTS = Path(__file__).resolve().parents[2] / "policy" / "text"
_APART = re.compile(r"[ \t]*\n(?:[ \t]*\n)+")
_NOT_PUBLISHED = ("elsewhere",)


class TextRefused(ValueError):
    """A text that cannot be made. ``fault``: the template's file, its line, and why."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        super().__init__(str(fault))


class _Templates(FileSystemLoader):
    """Templates in UTF-8; in one that is not, the line is told, and the file that it is in and not one that asks for it."""

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        try:
            return super().get_source(environment, template)
        except UnicodeDecodeError as error:
            line = error.object[: error.start].count(b"\n") + 1
            raise TemplateSyntaxError("is not UTF-8", line, template) from error


def render(policy: PrivacyPolicy, language: Language, html: bool, texts: Path = TEXTS) -> str:
    """Return the whole policy, 전문 to 부칙, as Markdown or as an HTML page of its own.

    Raises TextRefused when a template is no template, or asks for what the policy does not have.
    """
    return _fill("policy.j2", policy, language, html, texts)


def consent_text(policy: PrivacyPolicy, consent: str, language: Language, texts: Path = TEXTS) -> str:
    """Return what is shown when a consent is asked for: aim, items, period, right to refuse (법 제15조 제2항).

    Raises KeyError for a consent that the policy does not have, TextRefused as `render`.
    """
    standing = [key for key, category in policy.retention.categories.items() if category.consent == consent]
    asked = policy.purposes.consents[consent]
    return _fill("consent.j2", policy, language, False, texts, asked=asked, standing=standing)


def faults(policy: PrivacyPolicy, texts: Path = TEXTS) -> Iterator[Fault]:
    """Yield what keeps a text from being made: in every language and form, and of every consent."""
    languages: tuple[Language, ...] = get_args(Language)
    makers = [partial(render, policy, language, html, texts) for language in languages for html in (False, True)]
    for name in policy.purposes.consents:
        makers += [partial(consent_text, policy, name, language, texts) for language in languages]
    for make in makers:
        try:
            make()
        except TextRefused as refusal:
            yield refusal.fault


def _fill(template: str, policy: PrivacyPolicy, language: Language, html: bool, texts: Path, **more: Any) -> str:
    environment = Environment(
        loader=_Templates(texts, encoding="utf-8-sig"),
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
    try:
        text = environment.get_template(f"{language}/{template}").render(**more)
    except (TemplateError, LookupError, TypeError, ValueError) as error:
        raise TextRefused(_fault(error, texts)) from error
    return _APART.sub("\n\n", text).strip() + "\n"


def _fault(error: Exception, texts: Path) -> Fault:
    if isinstance(error, TemplateNotFound):
        return Fault(f"text/{error.name}", "", "is missing")
    if isinstance(error, TemplateSyntaxError):
        return Fault(f"text/{error.name}", f"line {error.lineno}", str(error.message))
    steps = [step for step in traceback.extract_tb(error.__traceback__) if Path(step.filename).is_relative_to(texts)]
    file, line = (Path(steps[-1].filename).relative_to(texts), steps[-1].lineno) if steps else ("", 0)
    return Fault(f"text/{file}", f"line {line}", str(error))


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
        if category.store not in _NOT_PUBLISHED and period_in_force(category, policy.owner) is not None
    }

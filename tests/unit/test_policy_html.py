"""The page: well formed, accessible in its structure, and without a way in for markup from the data."""

from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from chassis.policy.load import load
from chassis.policy.render import render
from chassis.policy.wording import Language
from tests.unit.policy_facts import ARTICLES, CHAPTERS, PERIODS

POLICY = load(Path(__file__).resolve().parents[2] / "policy")
VOID = {"meta"}
SCRIPT = "<script>alert('1')</script> & |"


class Page(HTMLParser):
    """What a page is made of; AssertionError when an element is closed that is not the one open."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open it."""
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close the last."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Take down what is read."""
        self.words.append(data)

    def of(self, *tags: str) -> list[dict[str, str | None]]:
        """The attributes of all elements of these kinds."""
        return [attributes for tag, attributes in self.elements if tag in tags]


@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_page_is_well_formed_and_structured(language: Language) -> None:
    """Tags balance; language, title, one h1, headings without a gap, ids once, tables with caption and scopes."""
    text = render(POLICY, language, html=True)
    page = Page(text)

    assert text.startswith("<!DOCTYPE html>\n")
    assert page.open == []
    assert page.of("html") == [{"lang": language}]
    assert {"charset": "utf-8"} in page.of("meta")
    assert len(page.of("h1")) == len(page.of("title")) == len(page.of("main")) == 1
    levels = [int(tag[1]) for tag, _ in page.elements if tag in ("h1", "h2", "h3")]
    assert all(after - before <= 1 for before, after in pairwise(levels))
    ids = [each["id"] for each in page.of("h2", "h3")]
    assert len(ids) == len(set(ids))
    assert {f"chapter-{n}" for n in CHAPTERS} | {f"article-{n}" for n in ARTICLES} < set(ids)
    assert len(page.of("caption")) == len(page.of("table"))
    assert all(each.get("scope") in ("col", "row") for each in page.of("th"))


def test_the_page_and_the_plain_text_say_the_same() -> None:
    """Every period stands in both, from the same templates (GV-01)."""
    words = Page(render(POLICY, "ko", html=True)).words
    for label, reason, period in [row for table in PERIODS.values() for row in table]:
        place = words.index(label)
        assert words[place : place + 3] == [label, reason, period]


def test_the_page_escapes_what_comes_from_the_data() -> None:
    """A label, a name, a processor with markup in it stay text: no element comes from the policy's files."""
    categories = dict(POLICY.retention.categories)
    categories["R-12"] = categories["R-12"].model_copy(update={"label": SCRIPT, "law": SCRIPT, "korean": SCRIPT})
    items = {key: item.model_copy(update={"published": SCRIPT}) for key, item in POLICY.collection.items.items()}
    processors = {
        key: each.model_copy(update={"korean": SCRIPT, "tasks": (SCRIPT,)})
        for key, each in POLICY.processors.processors.items()
    }
    chief = POLICY.contacts.officers.chief.model_copy(update={"name": SCRIPT})
    officers = POLICY.contacts.officers.model_copy(update={"chief": chief})
    policy = POLICY.model_copy(
        update={
            "retention": POLICY.retention.model_copy(update={"categories": categories, "title": SCRIPT}),
            "collection": POLICY.collection.model_copy(update={"items": items}),
            "processors": POLICY.processors.model_copy(update={"processors": processors}),
            "contacts": POLICY.contacts.model_copy(update={"officers": officers}),
        }
    )
    text = render(policy, "ko", html=True)
    page = Page(text)

    assert "<script" not in text
    assert page.of("script") == []
    assert page.open == []
    assert SCRIPT in page.words, "the reader sees it as it was written"


def test_the_plain_text_keeps_its_tables_whole() -> None:
    """A bar in a label does not become a column."""
    categories = dict(POLICY.retention.categories)
    categories["R-12"] = categories["R-12"].model_copy(update={"label": "로그인 | 기록"})
    policy = POLICY.model_copy(update={"retention": POLICY.retention.model_copy(update={"categories": categories})})
    assert r"| 로그인 \| 기록 | 통신비밀보호법 | 3개월 |" in render(policy, "ko", html=False)

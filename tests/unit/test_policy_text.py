"""The published text: every fact of the policy is in it, in its article, and none is altered or added (GV-01)."""

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from chassis.policy.load import load
from chassis.policy.render import TEXTS, consent_text, render
from tests.unit import policy_facts as facts
from tests.unit.policy_text import headings, numbered, points, sections, tables, tight

ROOT = Path(__file__).resolve().parents[2]
POLICY = load(ROOT / "policy")
KOREAN = render(POLICY, "ko", html=False)
ENGLISH = render(POLICY, "en", html=False)
SECTIONS = sections(KOREAN)


def article(number: int) -> str:
    """The section of an article of the Korean text."""
    return SECTIONS[f"제{number}조"]


def rows(table: Iterable[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """The rows with spaces taken out."""
    return [tuple(map(tight, row)) for row in table]


def test_the_chapters_and_articles_are_those_published() -> None:
    """제1장 to 제9장 and 제1조 to 제21조 with their titles, then 부칙; the annex is the only heading besides (GV-01)."""
    chapters = [f"제{number}장 {title}" for number, title in facts.CHAPTERS.items()]
    assert headings(KOREAN, 2) == chapters
    articles = [f"제{number}조 ({title})" for number, title in facts.ARTICLES.items()]
    found = headings(KOREAN, 3)
    assert [heading for heading in found if heading.startswith("제")] == articles
    assert [heading for heading in found if not heading.startswith("제")] == [
        "[부속표] 보존 항목과 근거 (파기 시점 기준)",
        "부칙",
    ]


def test_the_preamble_names_its_laws() -> None:
    """전문: the four laws, in their order, for the company and its service."""
    assert f"{', '.join(facts.LAWS)} 등" in SECTIONS[""]
    assert "\n주식회사 코스콤(이하 '회사')은" in SECTIONS[""]
    assert SECTIONS[""].startswith("# 코스콤 클라우드 개인정보처리방침\n")


def test_the_items_are_those_of_article_1() -> None:
    """제1조 ①②③: the items of each group, all of them and no other (GV-01, GV-05)."""
    expected = [f"{group}: {items}" for group, items in facts.ITEMS.items()]
    refusal = "정보주체가 선택항목에 대한 동의를 거부하더라도 서비스를 이용할 수 있습니다."
    assert list(map(tight, points(article(1)))) == list(map(tight, [*expected, facts.GENERATED, refusal]))
    assert [rows(table) for table in tables(article(1))] == [rows(facts.SEPARATE_CONSENT)]
    assert numbered(article(1)) == [
        "금융기관 회원가입",
        "자동 결제 수단 등록",
        "개인정보 수집에 대한 별도 동의를 구한 경우",
    ]
    assert all(POLICY.collection.groups[group].required for group in ("membership", "card", "transfer"))


def test_the_channels_are_those_of_article_2() -> None:
    """제2조: three kinds of ways."""
    assert numbered(article(2)) == facts.CHANNELS


@pytest.mark.parametrize("number", facts.PURPOSES)
def test_the_purposes_are_those_of_their_article(number: int) -> None:
    """제3조 to 제5조: what data is used for, complete and in the published order (법 제30조 제1항 제1호)."""
    assert ", ".join(points(article(number))) == facts.PURPOSES[number]


def test_the_processor_is_that_of_article_6() -> None:
    """제6조 ②③: who, what, until when, and the three exceptions (GV-03, R-27)."""
    assert tables(article(6)) == [facts.PROCESSORS]
    assert numbered(article(6)) == facts.EXCEPTIONS


@pytest.mark.parametrize("number", facts.PERIODS)
def test_the_periods_are_the_twelve_published(number: int) -> None:
    """제7조 and 제8조: what, why and how long; five and seven, and no thirteenth (R-04 to R-12)."""
    assert tables(article(number)) == [facts.PERIODS[number]]
    assert sum(map(len, facts.PERIODS.values())) == 12


@pytest.mark.parametrize("number", facts.SAID)
def test_what_an_article_says_is_said(number: int) -> None:
    """The facts within sentences, each in its own article (GV-01)."""
    text = tight(article(number))
    assert [fact for fact in facts.SAID[number] if tight(fact) not in text] == []


def test_the_steps_of_the_browser_are_those_of_article_14() -> None:
    """제14조 ③, as published; that the browser is a thing of the past is for its owner to mend (GV-06)."""
    assert numbered(article(14)) == facts.BROWSER_STEPS


def test_the_threats_are_those_of_chapter_8() -> None:
    """제8장: what the measures are against."""
    assert facts.THREATS in SECTIONS["제8장"]


def test_the_offices_and_agencies_are_those_of_article_19() -> None:
    """제19조: offices with their numbers, no person's name, four agencies with site and number."""
    assert tables(article(19)) == [facts.OFFICERS, facts.AGENCIES]


def test_the_notice_and_the_day_are_those_published() -> None:
    """제21조: 7 days, 30 where it matters, and no other; 부칙: 2023-06-09 (GV-02)."""
    assert re.findall(r"(\d+)\s*일", article(21)) == facts.NOTICE_DAYS
    assert re.findall(r"\d+년 \d+월 \d+일", SECTIONS["부칙"]) == [facts.EFFECTIVE]


def test_the_rights_have_their_clocks() -> None:
    """제11조: four rights within ten days, leaving without delay, and no page that ② does not name (DS-01, DS-03, DS-05)."""
    [table] = tables(article(11))
    assert table == facts.RIGHTS


@pytest.mark.parametrize("number", facts.MEASURES)
def test_the_measures_are_those_of_chapter_8(number: int) -> None:
    """제15조 to 제18조: what is done for safety, all of it and nothing more."""
    assert points(article(number)) == facts.MEASURES[number]


def test_without_delay_has_a_number_of_days() -> None:
    """제5장: "지체 없이" is at most five days (LC-02, 지침 제10조)."""
    assert "지체 없이(5일 이내, 표준 개인정보 보호지침 제10조 제1항)" in SECTIONS["제5장"]


def test_the_annex_says_from_when_on_which_article_and_which_items() -> None:
    """For each period of a law its article, its start and what is kept, which the published policy lacks (GV-01, GV-06)."""
    [table] = tables(SECTIONS["[부속표] 보존 항목과 근거"])
    by_id = {row[0].split(" ")[0]: row for row in table}
    for key, (law, start) in facts.STARTS.items():
        assert law in by_id[key][1]
        assert start in by_id[key][2]
    assert all(all(row) for row in table)
    marks = {"secondary": "(조문 확인 중)", "proposed": "(기간은 회사가 정함)"}
    for key, row in by_id.items():
        category = POLICY.retention.categories[key]
        assert [mark for mark in marks.values() if mark in row[1]] == [
            mark for certainty, mark in marks.items() if certainty == category.certainty
        ]
        assert row[2].endswith("(법정)" if category.start.fixed_by == "law" else "(방침)")
    published = {key for key, category in POLICY.retention.categories.items() if category.clause}
    assert published <= set(by_id)
    assert "R-25" not in by_id, "a category that the owner's settings do not turn on"


def test_a_period_is_changed_in_the_data_alone() -> None:
    """One value in chapter 4, and both texts say it; nothing else changes in the table (LC-01)."""
    categories = dict(POLICY.retention.categories)
    categories["R-05"] = categories["R-05"].model_copy(update={"period": "1 year 6 months"})
    retention = POLICY.retention.model_copy(update={"categories": categories})
    changed = POLICY.model_copy(update={"retention": retention})

    [table] = tables(sections(render(changed, "ko", html=False))["제7조"])
    assert [row[2] for row in table] == ["탈퇴 후 1년", "1년 6개월", "1개월", "1개월", "3년"]
    [english] = tables(sections(render(changed, "en", html=False))["Article 7"])
    assert english[1][2] == "1 year 6 months"


def test_no_template_states_a_fact() -> None:
    """No period, day, number, site or telephone is typed into a template: all come from the data (GV-01)."""
    typed = re.compile(r"\d+ ?(년|개월|월|일|years?|months?|days?)(?![가-힣a-z])|https?://|\d{2,4}-\d{4}|@")
    for file in TEXTS.rglob("*.j2"):
        assert typed.search(file.read_text(encoding="utf-8")) is None, file.name


def test_the_english_text_has_every_article_and_every_period() -> None:
    """The translation is as complete: 21 articles and the twelve periods, by the same data."""
    found = sections(ENGLISH)
    assert [f"Article {number}" for number in facts.ARTICLES] == [name for name in found if name.startswith("Article")]
    assert len(headings(ENGLISH, 2)) == len(facts.CHAPTERS)
    for number, periods in facts.ENGLISH_PERIODS.items():
        [table] = tables(found[f"Article {number}"])
        assert [row[2] for row in table] == periods
        assert re.search("[가-힣]", found[f"Article {number}"]) is None
    assert "9 June 2023" in found["Supplementary provision"]
    assert re.findall(r"(\d+) days", found["Article 21"]) == facts.NOTICE_DAYS
    assert [row[1:] for row in tables(found["Article 19"])[1]] == [
        (url, telephone.removeprefix("국번없이 ")) for _, url, telephone in facts.AGENCIES
    ]


@pytest.mark.parametrize("name", POLICY.purposes.consents)
def test_a_consent_is_asked_for_with_all_that_it_must_say(name: str) -> None:
    """Aim, items, period and the right to refuse stand in what is shown (법 제15조 제2항, GV-05)."""
    text = consent_text(POLICY, name, "ko")
    consent = POLICY.purposes.consents[name]
    assert text.startswith(consent.text_korean)
    assert all(POLICY.collection.items[item].korean in text for item in consent.items)
    assert "보유 기간: " in text
    assert "거부하더라도 서비스를 이용할 수 있습니다" in text
    assert consent.text_english in consent_text(POLICY, name, "en")


def test_the_consent_to_keep_misuse_says_for_how_long() -> None:
    """Both categories that stand on it, with their start and period (R-04, R-23); what ends at once ends with its event."""
    text = consent_text(POLICY, "misuse_retention", "ko")
    assert text.count("회원 탈퇴일부터 1년") == 2
    assert "VPN 권한 말소일까지\n" in consent_text(POLICY, "vpn_second_factor", "ko")
    assert "until end of the VPN right\n" in consent_text(POLICY, "vpn_second_factor", "en")


def test_a_safeguard_is_met_where_it_says() -> None:
    """제8장: what the policy promises is kept by a part of the program that is there, or has its gap (GV-01)."""
    for name, measure in POLICY.safeguards.measures:
        assert measure.gap or (ROOT / measure.met_by).exists(), name

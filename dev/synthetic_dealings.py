"""What an invented institution and the service have had to do with each other: one of each kind of record.

Every text has a word of letters that stands nowhere else, so that a copy of it is found wherever it was left.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Final

from dev.synthetic_numbers import NumberSource
from dev.synthetic_words import WordSource

_MARKER_LETTERS: Final = 14


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is written to or called."""

    name: str
    mobile_phone: str
    email: str


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment: amount in won, what for, the approval number of twelve digits, and who paid."""

    amount: str
    supplied: str
    approval_number: str
    payer_phone: str


@dataclass(frozen=True, slots=True)
class Dealings:
    """Texts and numbers for one record of each kind; a kind with one field has that field's name alone."""

    inquirer: Person
    inquiry: str
    inquiry_resolution: str
    misuse: str
    contract: str
    payment: Payment
    dispute: str
    tax_document_number: str
    notified: Person
    cookie: str
    page: str

    def planted(self) -> Mapping[str, list[str]]:
        """Values by data item, texts with and without their marker; left out is what proves nothing: the amount."""
        return {
            "inquiry_email": [self.inquirer.email],
            "inquiry_mobile_phone": [self.inquirer.mobile_phone],
            "inquiry_content": _marked(self.inquiry),
            "dispute_record": [*_marked(self.inquiry_resolution), *_marked(self.dispute)],
            "misuse_record": _marked(self.misuse),
            "contract_record": _marked(self.contract),
            "payment_record": _marked(self.payment.supplied),
            "transaction_record": [self.payment.approval_number],
            "tax_document": [self.tax_document_number],
            "payer_phone": [self.payment.payer_phone],
            "notification_target_name": [self.notified.name],
            "notification_target_email": [self.notified.email],
            "notification_target_mobile_phone": [self.notified.mobile_phone],
            "cookie": [self.cookie],
            "service_usage": [self.page],
        }


def _marked(text: str) -> list[str]:
    """A text, and the word in it that stands nowhere else."""
    return [text, text.rpartition(" ")[2]]


def dealings(random: Random, numbers: NumberSource, words: WordSource) -> Dealings:
    """Draw one institution's."""

    def told(what: str) -> str:
        return f"{what} {words.letters(_MARKER_LETTERS)}"

    def person() -> Person:
        return Person(words.person(), numbers.phone("010"), f"{words.letters(10)}@{words.letters(8)}.example")

    return Dealings(
        inquirer=person(),
        inquiry=told("서버가 응답하지 않아 문의드립니다."),
        inquiry_resolution=told("장애 원인을 찾아 조치하고 안내함."),
        misuse=told("허용되지 않은 대량 발송이 확인됨."),
        contract=told("가상 서버 이용 계약"),
        payment=Payment(
            amount=str(random.randint(10, 9_999) * 1_000),
            supplied=told("가상 서버 이용료"),
            approval_number=numbers.approval(),
            payer_phone=numbers.phone("010"),
        ),
        dispute=told("이용료가 두 번 청구되었다는 이의."),
        tax_document_number=numbers.approval(),
        notified=person(),
        cookie=words.letters(24),
        page=f"/console/{words.letters(_MARKER_LETTERS)}",
    )

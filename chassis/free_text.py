"""Finds what must not stand in a text field: resident numbers, card numbers, security codes, PINs, control characters.

The law forbids to keep a resident number without a statute that asks for it (법 제24조의2), PCI DSS forbids a card's
security code and PIN even encrypted (3.3.1), and a card number in a memo escapes the vault. People write them into inquiries
all the same, so such a text is refused. It is a net for accidents, not a barrier against someone who wants through.
"""

import re
import unicodedata
from collections.abc import Iterator

from stdnum import luhn
from stdnum.exceptions import ValidationError
from stdnum.kr import rrn

# C0 and C1 controls but tab, line feed and carriage return; lone surrogates; marks that reverse what a reader sees.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_THREE_DIGITS = re.compile(r"\d\D*+\d\D*+\d")
_THIRTEEN_DIGITS = re.compile(r"(?:\d\D*+){13}")
_OTHER_DECIMAL = re.compile(r"[^\D0-9]")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200d\u2060\ufeff]")
_CV = re.compile("[cC][ .-]?[vV]")
_PIN_WORD = re.compile("[pP][iI][nN]|비밀번호|비번")

# What people put between groups of digits: a blank, a dot, or any stroke that looks like a dash, the vowel eu too.
_BETWEEN = "[ \t.·_\u2010-\u2015\u2212\u1173ー-]{1,3}"
_SECURITY_CODE = re.compile(
    r"(?<![a-z])c[ .-]?v[ .-]?[cnv]2?(?:\s|[^\w\s]|번호|코드|number|code|is|은|는|이|가){0,5}[0-9]{3,4}(?![0-9])"
)
# A PIN, or what is asked for of a card's 비밀번호: its first two digits, or all four.
_PIN = re.compile(
    r"(?:(?<![a-z])pin|카드\s{0,3}(?:비밀번호|비번)|(?:비밀번호|비번)\s{0,3}앞\s{0,3}(?:두|2)\s{0,3}자리)"
    r"(?:\s|[^\w\s]|번호|앞|두|2|자리|number|code|is|은|는|이|가){0,7}?(?<![0-9])[0-9]{2,6}(?![0-9])"
)
_RESIDENT_NUMBER = re.compile(rf"(?<![0-9])([0-9]{{6}})(?:{_BETWEEN})?([1-8][0-9]{{6}})(?![0-9])")
_GROUPED = re.compile(rf"[0-9]+(?:{_BETWEEN}[0-9]+)*")
_DIGITS = re.compile("[0-9]+")

# Issuer prefixes with the lengths they come in: Visa, Mastercard, Amex, Diners, JCB, 6x (UnionPay, Discover, Maestro)
# and 9, domestic to Korea. Without them every tenth timestamp or order number would be taken for a card.
_CARD = re.compile(
    "4(?:[0-9]{12}|[0-9]{15}|[0-9]{18})|5[0-9]{15}|2(?:22[1-9]|2[3-9][0-9]|[3-6][0-9]{2}|7[01][0-9]|720)[0-9]{12}"
    "|3[47][0-9]{13}|3[0689](?:[0-9]{12}|[0-9]{14}|[0-9]{17})|35[0-9]{14,17}|6[0-9]{15,18}|9[0-9]{15}"
)
# How a card number is printed: in one piece, by fours, or 4-6-5 and 4-6-4 as Amex and Diners do.
_PRINTED = ((4, 4, 4, 4), (4, 4, 4, 1), (4, 4, 4, 4, 3), (4, 6, 5), (4, 6, 4))


def find_forbidden(text: str) -> str | None:
    """Why `text` may not be stored, or None. The answer is a reason and never what was found.

    CONTROL_CHARACTER, CARD_PIN, CARD_SECURITY_CODE, RESIDENT_NUMBER or CARD_NUMBER. Digits of full width
    and of other scripts count.
    """
    if _CONTROL.search(text):
        return "CONTROL_CHARACTER"
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    if _PIN_WORD.search(text) and _PIN.search(_in_ascii_digits(text).lower()):
        return "CARD_PIN"
    if not _THREE_DIGITS.search(text) or not (_CV.search(text) or _THIRTEEN_DIGITS.search(text)):
        return None
    text = _in_ascii_digits(text)
    if _SECURITY_CODE.search(text.lower()):
        return "CARD_SECURITY_CODE"
    if _has_resident_number(text):
        return "RESIDENT_NUMBER"
    return "CARD_NUMBER" if any(map(_is_card, _candidates(text))) else None


def _in_ascii_digits(text: str) -> str:
    if text.isascii():
        return text
    return _INVISIBLE.sub("", _OTHER_DECIMAL.sub(lambda digit: str(unicodedata.decimal(digit[0])), text))


def _has_resident_number(text: str) -> bool:
    """A number of thirteen digits whose first six are a day, read in the century that the seventh names.

    The check digit decides nothing: numbers given since October 2020 have none. Nor does a day in the future, which
    would make the answer depend on a clock. So a bare number of another kind (a barcode, a 법인등록번호) is refused
    where it begins like a date: its writer can leave it out, a resident number once stored cannot be unseen.
    """
    return any(_is_born(front + back) for front, back in _RESIDENT_NUMBER.findall(text))


def _is_born(number: str) -> bool:
    try:
        rrn.get_birth_date(number)
    except ValidationError:
        return False
    return True


def _candidates(text: str) -> Iterator[str]:
    """Runs of digits that may be a card number: grouped as cards are printed, or all of a run with one separator.

    Other stretches of a longer run are no candidates: two phone numbers or addresses side by side have many.
    """
    for run in _GROUPED.finditer(text):
        if run.end() - run.start() < 13:
            continue
        groups = _DIGITS.findall(run[0])
        if len(set(_DIGITS.split(run[0])[1:-1])) <= 1:
            yield "".join(groups)
        yield from groups
        sizes = tuple(map(len, groups))
        for printed in _PRINTED:
            for at in range(len(groups) - len(printed) + 1):
                if sizes[at : at + len(printed)] == printed:
                    yield "".join(groups[at : at + len(printed)])


def _is_card(number: str) -> bool:
    return _CARD.fullmatch(number) is not None and luhn.is_valid(number)

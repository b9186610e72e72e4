"""The numbers and addresses by which an organisation and its people are known, checked and in one form each.

Two spellings of one number must give one blind index, so each function returns the form that is stored and indexed, and
returns that form unchanged. Refusals are `NumberError`s: a reason code, never the value.
"""

import re
import unicodedata
from enum import StrEnum

import phonenumbers

from chassis.digits import NumberError, business_number, digits

__all__ = [
    "NumberError",
    "PhoneKind",
    "business_number",
    "email_address",
    "email_key",
    "mobile_number",
    "phone_kind",
    "phone_number",
]


class PhoneKind(StrEnum):
    """What a telephone number is, after the Korean numbering plan."""

    MOBILE = "MOBILE"
    LANDLINE = "LANDLINE"
    INTERNET = "INTERNET"
    PERSONAL = "PERSONAL"
    REPRESENTATIVE = "REPRESENTATIVE"
    FOREIGN = "FOREIGN"


# National numbers without the leading 0. phonenumbers is more lenient: it takes 010 with seven digits after it.
_KOREAN = {
    PhoneKind.MOBILE: re.compile("10[0-9]{8}|1[16789][0-9]{7,8}"),
    PhoneKind.LANDLINE: re.compile("(?:2|3[1-3]|4[1-4]|5[1-5]|6[1-4])[0-9]{7,8}"),
    PhoneKind.INTERNET: re.compile("70[0-9]{8}"),
    PhoneKind.PERSONAL: re.compile("50[0-9]{8,9}"),
    PhoneKind.REPRESENTATIVE: re.compile("1[568][0-9]{6}"),
}
_ATOM = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LOCAL_PART = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"(?:{_LABEL}\.)+(?=[a-z]){_LABEL}")


def phone_number(value: str) -> str:
    """A telephone number as E.164, such as +821000000000; without a country code it is Korean.

    Raises NumberError: EMPTY, NOT_DIGITS, or PHONE_NUMBER if no numbering plan has it, or if it has thirteen digits
    from 820 on and no sign that 82 is a country code: a resident number (주민등록번호) of 1982 looks the same.
    """
    typed = unicodedata.normalize("NFKC", value).strip(" ")
    international = typed.startswith("+")
    number = digits(typed.removeprefix("+"))
    if number.startswith("82"):
        # 82-010-… is often written; the 0 is for calls from inside only.
        national = number[2:].removeprefix("0")
        if len(number) == 13 and not international and not typed.startswith(("82-", "82 ")):
            raise NumberError("PHONE_NUMBER")
    elif international:
        return _foreign("+" + number)
    elif number.startswith("0") or _KOREAN[PhoneKind.REPRESENTATIVE].fullmatch(number):
        national = number.removeprefix("0")
    else:
        raise NumberError("PHONE_NUMBER")
    if not any(pattern.fullmatch(national) for pattern in _KOREAN.values()):
        raise NumberError("PHONE_NUMBER")
    return "+82" + national


def phone_kind(number: str) -> PhoneKind:
    """What kind of number an E.164 number from `phone_number` is."""
    national = number.removeprefix("+82")
    if national == number:
        return PhoneKind.FOREIGN
    return next(kind for kind, pattern in _KOREAN.items() if pattern.fullmatch(national))


def mobile_number(value: str) -> str:
    """A mobile number that can receive a message, as E.164; NumberError NOT_MOBILE for any other telephone number.

    The prefixes 011 and 016 to 019 went out of service in 2021 and do not count. Foreign numbers are taken as they
    come: in many countries mobile and fixed numbers look alike.
    """
    number = phone_number(value)
    kind = phone_kind(number)
    current = kind is PhoneKind.MOBILE and number.startswith("+8210")
    if not (current or kind is PhoneKind.FOREIGN):
        raise NumberError("NOT_MOBILE")
    return number


def email_address(value: str) -> str:
    """An e-mail address as it is written to: the local part as given, the domain in lower case.

    Dot-atoms of RFC 5321 and 5322 in ASCII, with the lengths they allow; quoted local parts, address literals and
    internationalised addresses are not taken. Raises NumberError: EMPTY, LENGTH, LOCAL_PART or DOMAIN.
    """
    address = unicodedata.normalize("NFKC", value).strip(" ")
    if not address:
        raise NumberError("EMPTY")
    local, _, domain = address.rpartition("@")
    domain = domain.lower()
    if len(address) > 254 or len(local) > 64:
        raise NumberError("LENGTH")
    if not _LOCAL_PART.fullmatch(local):
        raise NumberError("LOCAL_PART")
    if not _DOMAIN.fullmatch(domain):
        raise NumberError("DOMAIN")
    return f"{local}@{domain}"


def email_key(value: str) -> str:
    """The form of an address that is indexed: lower case throughout, as no real mail system tells cases apart."""
    return email_address(value).lower()


def _foreign(number: str) -> str:
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        raise NumberError("PHONE_NUMBER") from None
    if not phonenumbers.is_valid_number(parsed):
        raise NumberError("PHONE_NUMBER")
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)

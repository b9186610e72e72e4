"""How a personal value looks to someone who need not read it: one table of masks, so that it looks the same everywhere.

The rules are those of ISMS-P 2.6.3 and, for cards, PCI DSS 3.4.1. A mask is chosen by the name of its value in
`onggi.options.v1.Mask`. It never fails on a value and never shows all of one: what is too short, or not of the expected
form, is hidden altogether, because a value in the wrong field is as personal as in the right one.
"""

import re
import unicodedata
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address

HIDDEN = "***"

# 1588-0000, in E.164 behind the country code: it belongs to an organisation, and has no middle to hide.
_REPRESENTATIVE = re.compile("0?(1[568][0-9]{2})[0-9]{4}")
_KOREAN_PHONE = re.compile("(02|050[0-9]|0[0-9]{2})([0-9]{3,4})([0-9]{4})")
_DOMAIN = re.compile(r"(?:[A-Za-z0-9-]+\.)+[A-Za-z][A-Za-z0-9-]*")
_LOOSE = str.maketrans("", "", " -.()")


def mask(kind: str, value: str) -> str:
    """The masked form of `value`; `kind` is a name such as "MASK_PHONE". KeyError for an unknown kind.

    An empty value stays empty.
    """
    masked = _MASKS[kind]
    return masked(value) if value else ""


def _name(value: str) -> str:
    # Only what can be seen counts, or a blank between two letters would be all that the mask hides.
    visible = (c for c in unicodedata.normalize("NFC", value) if c.isprintable() and not c.isspace())
    name = "".join(c for c in visible if not unicodedata.combining(c))
    if len(name) < 3:
        return name[:-1] + "*"
    return name[0] + "*" * (len(name) - 2) + name[-1]


def _phone(value: str) -> str:
    number = _number(value.removeprefix("+"))
    if number.startswith("82"):
        number = "0" + number[2:].removeprefix("0")
    elif value.startswith("+"):
        # Where a foreign number's groups end is the country's affair: the last four digits are all that is shown.
        return "+" + _tail(number, least_hidden=4) if number else HIDDEN
    if representative := _REPRESENTATIVE.fullmatch(number):
        return representative[1] + "-****"
    if (groups := _KOREAN_PHONE.fullmatch(number)) is None:
        return HIDDEN
    area, middle, last = groups.groups()
    return f"{area}-{'*' * len(middle)}-{last}"


def _email(value: str) -> str:
    local, at, domain = value.strip().rpartition("@")
    if not (local and at and _DOMAIN.fullmatch(domain)):
        return HIDDEN
    shown = local[: min(2, len(local) - 1)]
    return f"{shown}{'*' * (len(local) - len(shown))}@{domain}"


def _card_number(value: str) -> str:
    """First six and last min(4, length - 12) digits; four dashed groups for sixteen digits, none for other lengths."""
    number = _number(value)
    if not 13 <= len(number) <= 19:
        return HIDDEN
    last = min(4, len(number) - 12)
    masked = number[:6] + "*" * (len(number) - 6 - last) + number[-last:]
    return "-".join(masked[at : at + 4] for at in range(0, 16, 4)) if len(number) == 16 else masked


def _account_number(value: str) -> str:
    number = _number(value)
    return _tail(number, least_hidden=4) if number else HIDDEN


def _ip_address(value: str) -> str:
    """IPv4 without its third octet; IPv6 without its last 64 bits, the interface identifier.

    The guidance names bits 17-24 of IPv4 and 113-128 of IPv6 as those to hide; the wider cut for IPv6 is ours, as
    the rest of an interface identifier still names one device.
    """
    try:
        address = ip_address(value.strip())
    except ValueError:
        return HIDDEN
    if isinstance(address, IPv6Address):
        return _ipv4(address.ipv4_mapped) if address.ipv4_mapped else _ipv6(address)
    return _ipv4(address)


def _ipv4(address: IPv4Address) -> str:
    first, second, _, last = str(address).split(".")
    return f"{first}.{second}.***.{last}"


def _ipv6(address: IPv6Address) -> str:
    network = (f"{int(group, 16):x}" for group in address.exploded.split(":")[:4])
    return ":".join(network) + ":" + HIDDEN


def _business_number(value: str) -> str:
    number = _number(value)
    return f"{number[:3]}-{number[3:5]}-*****" if len(number) == 10 else HIDDEN


def _address(value: str) -> str:
    """The first two words (시·도, 시·군·구), never the last word, and nothing from the first word with a digit on."""
    shown: list[str] = []
    for word in value.split()[:-1][:2]:
        if any(character.isnumeric() for character in word):
            break
        shown.append(word)
    return " ".join([*shown, HIDDEN])


def _number(value: str) -> str:
    """The ASCII digits of a value, "" if it holds anything but digits and the usual separators."""
    number = (value if value.isascii() else unicodedata.normalize("NFKC", value)).translate(_LOOSE)
    return number if number.isascii() and number.isdigit() else ""


def _tail(number: str, least_hidden: int) -> str:
    shown = max(0, min(4, len(number) - least_hidden))
    return "*" * (len(number) - shown) + number[len(number) - shown :]


_MASKS: dict[str, Callable[[str], str]] = {
    "MASK_NONE": lambda value: value,
    "MASK_NAME": _name,
    "MASK_PHONE": _phone,
    "MASK_EMAIL": _email,
    "MASK_CARD_NUMBER": _card_number,
    "MASK_ACCOUNT_NUMBER": _account_number,
    "MASK_IP_ADDRESS": _ip_address,
    "MASK_BUSINESS_NUMBER": _business_number,
    "MASK_ADDRESS": _address,
    "MASK_REDACT": lambda _value: HIDDEN,
}

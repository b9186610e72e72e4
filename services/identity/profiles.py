"""What is told about members and contacts: checked and brought into one form before it is sealed or indexed."""

from collections.abc import Callable, Collection, Iterator, Mapping

from google.protobuf.message import Message
from onggi.identity.v1.contact_service_pb2 import ContactProfile
from onggi.identity.v1.member_service_pb2 import MemberProfile

from chassis import contract
from chassis.digits import NumberError, business_number
from chassis.errors import InvalidField, Violation
from services.identity.numbers import email_address, email_key, mobile_number, phone_number

_MEMBER: Mapping[str, Callable[[str], str]] = {
    "email": email_address,
    "organization_number": business_number,
    "business_registration_number": business_number,
    "representative_phone": phone_number,
}
_CONTACT: Mapping[str, Callable[[str], str]] = {"mobile_phone": mobile_number, "email": email_address}

# Field of the profile -> how its indexed form is made. The form is prefixed by the field, so that equal numbers in
# different fields have different indexes.
_INDEXED: Mapping[str, Callable[[str], str]] = {
    "email": email_key,
    "organization_number": business_number,
    "business_registration_number": business_number,
}
INDEXES = tuple(_INDEXED)


def normalise_member(profile: MemberProfile, prefix: str = "profile.") -> None:
    """Bring the fields into one form, in place. Raises InvalidField with field and reason, never the value."""
    _normalise(profile, _MEMBER, prefix)


def normalise_contact(profile: ContactProfile, prefix: str = "profile.") -> None:
    """The same for a contact."""
    _normalise(profile, _CONTACT, prefix)


def _normalise(profile: Message, forms: Mapping[str, Callable[[str], str]], prefix: str) -> None:
    wrong = []
    for field, form in forms.items():
        try:
            setattr(profile, field, form(getattr(profile, field)))
        except NumberError as error:
            wrong.append(Violation(prefix + field, error.reason))
    if wrong:
        raise InvalidField(wrong)


def index_input(field: str, value: str) -> bytes:
    """Return what is put under the index key for an exact look-up. Raises InvalidField."""
    try:
        return f"member.{field}|{_INDEXED[field](value)}".encode()
    except NumberError as error:
        raise InvalidField([Violation(field, error.reason)]) from None


def index_inputs(profile: MemberProfile) -> Iterator[bytes]:
    """Yield the inputs of all indexes of a profile, in the order of INDEXES."""
    return (index_input(field, getattr(profile, field)) for field in INDEXES)


def merge(stored: Message, given: Message, paths: Collection[str]) -> None:
    """Copy the named fields into the stored profile, in place, and check it by the contract's rules.

    Raises InvalidField for an unknown path, or for what breaks a rule.
    """
    known = stored.DESCRIPTOR.fields_by_name
    if wrong := [path for path in paths if path not in known]:
        raise InvalidField([Violation("update_mask", "unknown_path") for _ in wrong])
    for path in paths:
        setattr(stored, path, getattr(given, path))
    if (error := contract.check_item(stored)) is not None:
        raise type(error)([Violation(f"profile.{item.field}", item.rule) for item in error.violations])

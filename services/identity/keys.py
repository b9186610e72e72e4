"""Names of keys, units and places of the identity service; nothing else spells them."""

from chassis.erasure_keys import Place

SERVICE = "identity"
VAULT_ROLE = "identity"
PII_KEY = "pii"
EPOCH_KEY = "epoch-identity"
INDEX_KEY = "index-identity"


def member_unit(member_id: str) -> str:
    """The erasure unit of a member."""
    return f"member:{member_id}"


def contact_unit(contact_id: str) -> str:
    """The erasure unit of a contact: a data subject of its own."""
    return f"contact:{contact_id}"


def login_unit(event_date: str) -> str:
    """The erasure unit of the log-in records of one day: they all end together (R-12)."""
    return f"login:{event_date}"


def member_place(member_id: str, group: str = "profile") -> Place:
    """Where a member's sealed profile or password stands."""
    return Place(SERVICE, "member", member_id, group)


def contact_place(contact_id: str) -> Place:
    """Where a contact's sealed profile stands."""
    return Place(SERVICE, "contact", contact_id, "profile")


def login_place(record_id: str) -> Place:
    """Where a log-in record's sealed body stands."""
    return Place(SERVICE, "login_record", record_id, "body")

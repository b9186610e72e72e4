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


def day_unit(kind: str, event_date: str) -> str:
    """The erasure unit of one day's records of a kind that is kept by month: they all end together (R-12, R-22)."""
    return f"{kind}:{event_date}"


def field_unit(record_id: str, field: str) -> str:
    """The erasure unit of one field of a record: each ends with the last basis that keeps it."""
    return f"record:{record_id}:{field}"


def member_place(member_id: str, group: str = "profile") -> Place:
    """Where a member's sealed profile or password stands."""
    return Place(SERVICE, "member", member_id, group)


def contact_place(contact_id: str) -> Place:
    """Where a contact's sealed profile stands."""
    return Place(SERVICE, "contact", contact_id, "profile")


def log_place(kind: str, record_id: str) -> Place:
    """Where the sealed body of a record that is kept by month stands."""
    return Place(SERVICE, f"{kind}_record", record_id, "body")


def field_place(record_id: str, field: str, service: str = SERVICE) -> Place:
    """Where a record's sealed field stands, here or in the archive."""
    return Place(service, "record", record_id, field)

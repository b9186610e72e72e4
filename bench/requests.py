"""What the load sends: prepared before the clock starts, so that the client has nothing to do but send."""

import random
import uuid
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Final

from onggi.access.v1.access_context_pb2 import VIEW_FULL, VIEW_MASKED, AccessContext
from onggi.identity.v1 import member_service_pb2 as members
from onggi.payment_vault.v1 import detokenization_service_pb2 as reveals
from onggi.payment_vault.v1 import instrument_pb2 as instruments
from onggi.payment_vault.v1 import tokenization_service_pb2 as tokens
from stdnum import luhn

BILLING: Final = AccessContext(purpose="billing")
_REVEAL: Final = AccessContext(purpose="billing", reason="benchmark")
_EXPIRY: Final = "12/39"
_PAYER: Final = "123-45-67891"
# No two cards of a run are the same: the same card of the same member has one token, and that would look like a lost row.
_DRAWN: Final = count()
_SPREAD: Final = 3**18  # shares no factor with ten to the ninth, so that all numbers come before one comes again


def tokenize(subjects: Sequence[str], number: int, seed: int) -> list[bytes]:
    """Return Tokenize requests, each for another synthetic card of one of the members."""
    source = random.Random(seed)
    return [
        tokens.TokenizeRequest(
            access=BILLING, request_id=str(uuid.uuid4()), member_id=source.choice(subjects), instrument=_card()
        ).SerializeToString()
        for _ in range(number)
    ]


def items(subjects: Sequence[str], number: int, source: random.Random) -> list[tokens.TokenizeItem]:
    """Return items of a batch, the same."""
    return [tokens.TokenizeItem(member_id=source.choice(subjects), instrument=_card()) for _ in range(number)]


def batches(subjects: Sequence[str], size: int, seed: int) -> Iterator[tokens.BatchTokenizeRequest]:
    """Yield BatchTokenize requests of so many items, without an end."""
    source = random.Random(seed)
    while True:
        yield tokens.BatchTokenizeRequest(
            access=BILLING, request_id=str(uuid.uuid4()), items=items(subjects, size, source)
        )


def detokenize(pairs: Sequence[tuple[str, str]], number: int, seed: int) -> list[bytes]:
    """Return Detokenize requests for tokens and their members at random."""
    source = random.Random(seed)
    chosen = (source.choice(pairs) for _ in range(number))
    return [
        reveals.DetokenizeRequest(access=_REVEAL, member_id=member, token=token).SerializeToString()
        for token, member in chosen
    ]


def get_member(subjects: Sequence[str], number: int, seed: int, *, full: bool) -> list[bytes]:
    """Return GetMember requests, masked or as full as the caller may see it."""
    source, view = random.Random(seed), VIEW_FULL if full else VIEW_MASKED
    return [
        members.GetMemberRequest(access=BILLING, member_id=source.choice(subjects), view=view).SerializeToString()
        for _ in range(number)
    ]


def _card() -> instruments.Instrument:
    head = f"400000{next(_DRAWN) * _SPREAD % 10**9:09}"
    number = head + luhn.calc_check_digit(head)
    return instruments.Instrument(
        card=instruments.Card(number=number, expiry=_EXPIRY, business_registration_number=_PAYER)
    )

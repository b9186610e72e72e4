"""What the load sends: prepared before the clock starts, so that the client has nothing to do but send."""

import random
import uuid
from collections.abc import Sequence

from onggi.access.v1.access_context_pb2 import AccessContext
from onggi.identity.v1 import member_service_pb2 as members
from onggi.payment_vault.v1 import tokenization_service_pb2 as tokens
from stdnum import luhn

_BILLING = AccessContext(purpose="billing")


def tokenize(subjects: Sequence[str], number: int, seed: int) -> list[bytes]:
    """Return Tokenize requests, each for another synthetic card of one of the members."""
    source = random.Random(seed)
    return [_tokenize(source.choice(subjects), _card_number(source)) for _ in range(number)]


def _tokenize(member_id: str, card_number: str) -> bytes:
    request = tokens.TokenizeRequest(access=_BILLING, request_id=str(uuid.uuid4()), member_id=member_id)
    card = request.instrument.card
    card.number, card.expiry, card.business_registration_number = card_number, "12/39", "123-45-67891"
    return request.SerializeToString()


def _card_number(source: random.Random) -> str:
    head = "400000" + "".join(source.choices("0123456789", k=9))
    return head + luhn.calc_check_digit(head)


def get_member(subjects: Sequence[str], number: int, seed: int) -> list[bytes]:
    """Return GetMember requests, masked."""
    source = random.Random(seed)
    return [
        members.GetMemberRequest(access=_BILLING, member_id=source.choice(subjects)).SerializeToString()
        for _ in range(number)
    ]

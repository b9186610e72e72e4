"""The members that the load asks about."""

import asyncio
import uuid
from datetime import UTC, datetime
from typing import Final

import grpc
import grpc.aio
from onggi.access.v1.access_context_pb2 import AccessContext
from onggi.identity.v1 import member_service_pb2 as api

from dev import synthetic
from dev.identities import account, server_name
from dev.stack import Stack

MEMBERS: Final = 200
_FIELDS: Final = tuple(api.MemberProfile.DESCRIPTOR.fields_by_name)


async def register(stack: Stack) -> list[str]:
    """Register synthetic members; return their ids."""
    files = stack.client_credentials("portal")
    credentials = grpc.ssl_channel_credentials(
        files.ca.read_bytes(), files.key.read_bytes(), files.certificate.read_bytes()
    )
    options = [("grpc.ssl_target_name_override", server_name(account("identity")))]
    async with grpc.aio.secure_channel(stack.addresses["identity"], credentials, options) as channel:
        call = channel.unary_unary(
            "/onggi.identity.v1.MemberService/RegisterMember",
            request_serializer=api.RegisterMemberRequest.SerializeToString,
            response_deserializer=api.RegisterMemberResponse.FromString,
        )
        made = synthetic.institutions(MEMBERS, seed=1, now=datetime.now(UTC))
        answers = await asyncio.gather(*(call(_request(institution), timeout=60) for institution in made))
    return [answer.member.member_id for answer in answers]


def _request(institution: synthetic.Institution) -> api.RegisterMemberRequest:
    return api.RegisterMemberRequest(
        access=AccessContext(purpose="membership"),
        request_id=str(uuid.uuid4()),
        profile=api.MemberProfile(**{name: getattr(institution, name) for name in _FIELDS}),
        password=institution.password,
    )

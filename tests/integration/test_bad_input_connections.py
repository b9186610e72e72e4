"""Who has no certificate, another authority's, or one that names nobody or two: no answer, or none but a refusal."""

import datetime as dt
from typing import Any

import grpc
import grpc.aio
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from chassis.settings import ServerSettings
from dev.bootstrap_ca import key_pem
from dev.identities import SERVICES, spiffe_id
from dev.stack import Stack
from dev.vault_setup import PKI_ROLE
from tests.integration import examples
from tests.integration.clients import Clients, credentials_of, secure_channel
from tests.integration.log_rows import Log

pytestmark = pytest.mark.timeout(60)

GET = "onggi.identity.v1.MemberService/GetMember"
TRIES = 5.0


async def answer_to(channel: grpc.aio.Channel, rpc: str = GET) -> grpc.aio.AioRpcError:
    """The error that a right request gets over this channel."""
    async with channel:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await channel.unary_unary(f"/{rpc}")(examples.example(GET).SerializeToString(), timeout=TRIES)
    return refused.value


@pytest.mark.parametrize("service", SERVICES)
async def test_without_a_certificate_there_is_no_connection(stack: Stack, log: Log, service: str) -> None:
    """A client that shows no certificate gets no answer from any service, and makes no row (CR-04, V7)."""
    before = await log.count(service)
    authority = stack.service_credentials(service).ca.read_bytes()
    refused = await answer_to(secure_channel(stack, service, grpc.ssl_channel_credentials(authority)))
    assert refused.code() is grpc.StatusCode.UNAVAILABLE
    assert await log.count(service) == before


@pytest.mark.parametrize("service", SERVICES)
async def test_another_authoritys_certificate_is_worth_nothing(stack: Stack, log: Log, service: str) -> None:
    """A certificate with a caller's very SPIFFE id from another authority opens nothing (V7)."""
    before = await log.count(service)
    refused = await answer_to(secure_channel(stack, service, forged(stack, spiffe_id("apps", "portal"))))
    assert refused.code() is grpc.StatusCode.UNAVAILABLE
    assert await log.count(service) == before


@pytest.mark.parametrize("service", SERVICES)
async def test_plain_text_is_not_spoken(stack: Stack, service: str) -> None:
    """The port of the RPCs answers nothing that is not encrypted (CR-04, X13)."""
    channel = grpc.aio.insecure_channel(stack.addresses[service], [("grpc.enable_http_proxy", 0)])
    assert (await answer_to(channel)).code() is grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize("service", SERVICES)
async def test_the_port_of_the_probes_serves_health_alone(stack: Stack, service: str) -> None:
    """Over the plain-text port of the probes there is no RPC of ours and no reflection (X13)."""
    address = stack.ports.address(f"{service}_health")
    for rpc in (GET, "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"):
        refused = await answer_to(grpc.aio.insecure_channel(address, [("grpc.enable_http_proxy", 0)]), rpc)
        assert refused.code() is grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize(
    ("names", "subject"),
    [
        ([spiffe_id("apps", "portal"), spiffe_id("apps", "billing")], "test"),
        (["spiffe://onggi/ns/apps/sa/portal/extra"], "test"),
        ([], spiffe_id("apps", "portal")),
    ],
    ids=["two ids", "another form", "an id as the common name"],
)
async def test_a_certificate_that_names_nobody_is_refused_and_recorded(
    stack: Stack, log: Log, names: list[str], subject: str
) -> None:
    """UNAUTHENTICATED, CALLER_UNIDENTIFIED, with a row of an unidentified actor (LG-02, V7)."""
    credentials = issued(stack, names, subject)
    channel = secure_channel(stack, "identity", credentials)
    refused = await answer_to(channel)
    assert refused.code() is grpc.StatusCode.UNAUTHENTICATED
    record_id = dict(refused.trailing_metadata())["onggi-record-id"]
    [row] = await log.fetch("identity", "SELECT * FROM processing_log WHERE record_id = $1", record_id)
    assert (row["actor"], row["status"], row["error_reason"]) == (
        "unidentified", "UNAUTHENTICATED", "CALLER_UNIDENTIFIED",
    )  # fmt: skip


def forged(stack: Stack, name: str) -> grpc.ChannelCredentials:
    """A certificate with this URI name, signed by an authority that we have never heard of but that has our own's name."""
    ours = stack.service_credentials("identity").ca.read_bytes()
    authority, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.load_pem_x509_certificate(ours).subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.UniformResourceIdentifier(name)]), critical=True)
        .sign(authority, hashes.SHA256())
    )
    return grpc.ssl_channel_credentials(ours, key_pem(key), certificate.public_bytes(Encoding.PEM))


def issued(stack: Stack, names: list[str], subject: str) -> grpc.ChannelCredentials:
    """A certificate of our own authority with these URI names and this common name."""
    key = ec.generate_private_key(ec.SECP256R1())
    request = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
    )  # fmt: skip
    if names:
        alternative = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(name) for name in names])
        request = request.add_extension(alternative, critical=True)
    csr = request.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()
    answer = stack.openbao.client().write_data(f"pki/sign/{PKI_ROLE}", data={"csr": csr, "exclude_cn_from_sans": True})
    return grpc.ssl_channel_credentials(
        stack.service_credentials("identity").ca.read_bytes(), key_pem(key), answer["data"]["certificate"].encode()
    )


async def test_reflection_is_the_laptops_alone(stack: Stack, clients: Clients) -> None:
    """Reflection answers here because the laptop stack turns it on; it is off unless asked for (X13)."""
    assert ServerSettings().reflection is False
    assert stack.env_for("identity")["ONGGI_SERVER__REFLECTION"] == "true"
    channel: Any = clients.channel("identity", "stranger")
    stub: Any = reflection_pb2_grpc.ServerReflectionStub(channel)
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    [answer] = [found async for found in stub.ServerReflectionInfo(iter([request]), timeout=TRIES)]
    names = {service.name for service in answer.list_services_response.service}
    assert "onggi.identity.v1.MemberService" in names


async def test_a_right_certificate_opens(stack: Stack) -> None:
    """The control of the tests above: the same request with a caller's own certificate gets through the chain."""
    channel = secure_channel(stack, "identity", credentials_of(stack.client_credentials("portal")))
    refused = await answer_to(channel)
    assert refused.code() is grpc.StatusCode.NOT_FOUND

"""The command against real gRPC servers over mutual TLS: what it sends, what it shows, and how it ends."""

import json
import os
import subprocess
import uuid
from pathlib import Path

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from onggi.access.v1.access_context_pb2 import View
from onggi.identity.v1 import contact_service_pb2 as contacts
from onggi.identity.v1 import member_service_pb2 as members

from tests.integration import cli_servers
from tests.integration.cli_servers import COMMAND, RECORD_ID, Onggi, Stack

MEMBER = "0198c0de-0000-7000-8000-00000000000a"
BUSINESS_NUMBER = "123-45-67891"
PASSWORD = "correct horse battery"

cli_running, cli_stack, onggi = cli_servers.cli_running, cli_servers.cli_stack, cli_servers.onggi


def _member() -> members.Member:
    profile = members.MemberProfile(
        email="ma****@example.com", organization_name="단위농협", representative_name="홍*동"
    )
    return members.Member(member_id=MEMBER, profile=profile, registered_at=Timestamp(seconds=1767279600), etag="W/1")


def test_a_read_states_its_purpose_and_is_masked_unless_asked(cli_stack: Stack, onggi: Onggi) -> None:
    """LG-05: purpose, reason and ticket travel with the call; the view is masked without --full."""
    cli_stack.identity.answers["GetMember"] = members.GetMemberResponse(member=_member())

    ended = onggi("member", "get", MEMBER, "--purpose", "support", "--reason", "상담", "--ticket", "CS-1042")
    onggi("member", "get", MEMBER, "--purpose", "support", "--full")

    masked, full = cli_stack.identity.of("GetMember")
    assert (masked.access.purpose, masked.access.reason, masked.access.ticket) == ("support", "상담", "CS-1042")
    assert masked.view == View.VIEW_MASKED
    assert full.view == View.VIEW_FULL
    assert ended.code == 0
    assert "홍*동" in ended.out
    assert "2026-01-02 00:00:00.000 KST" in ended.out


def test_json_is_the_same_before_and_after_the_command(cli_stack: Stack, onggi: Onggi) -> None:
    """JSON as protobuf maps it, with the contract's field names, wherever --json stands."""
    cli_stack.identity.answers["GetMember"] = members.GetMemberResponse(member=_member())
    command = ("member", "get", MEMBER, "--purpose", "support")

    before, after = onggi("--json", *command), onggi(*command, "--json")

    assert before.out == after.out
    answer = json.loads(after.out)["member"]
    assert answer["registered_at"] == "2026-01-01T15:00:00Z"
    assert answer["profile"]["organization_name"] == "단위농협"
    assert answer["profile"]["address"] == ""


def test_one_command_is_one_trace(cli_stack: Stack, onggi: Onggi) -> None:
    """All calls of a command carry one trace id and one parent; two commands have two; --verbose names them."""
    cli_stack.identity.answers["ListContacts"] = lambda request: contacts.ListContactsResponse(
        contacts=[contacts.Contact(contact_id="c")], next_page_token="" if request.page_token else "next"
    )

    ended = onggi("member", "contacts", MEMBER, "--purpose", "support", "--verbose")
    onggi("member", "contacts", MEMBER, "--purpose", "support")

    sent = [str(one.metadata["traceparent"]) for one in cli_stack.identity.asked]
    assert sent[0] == sent[1]
    assert sent[2] == sent[3] != sent[0]
    assert f"trace {sent[0].split('-')[1]}" in ended.err
    assert RECORD_ID in ended.err


def test_the_caller_is_the_certificate_that_was_chosen(cli_stack: Stack, onggi: Onggi) -> None:
    """--as picks the client certificate; without it the configuration's default speaks; others do not exist."""
    cli_stack.identity.answers["GetMember"] = members.GetMemberResponse(member=_member())
    command = ("member", "get", MEMBER, "--purpose", "billing")

    onggi(*command)
    onggi("--as", "billing", *command)
    unknown = onggi(*command, "--as", "nobody")

    assert [one.caller for one in cli_stack.identity.asked] == ["support", "billing"]
    assert unknown.code == 2
    assert "billing, privacy-officer, support" in unknown.err


def test_a_purpose_is_never_guessed(cli_stack: Stack, onggi: Onggi) -> None:
    """Where the operator must say why, no default says it for them."""
    for command in (("member", "get", MEMBER), ("token", "list", MEMBER), ("member", "withdraw", MEMBER)):
        ended = onggi(*command)
        assert ended.code == 2
        assert "--purpose" in ended.err
    assert not cli_stack.identity.asked
    assert not cli_stack.payment_vault.asked


def test_registration_takes_options_a_file_and_a_password_that_is_no_argument(
    cli_stack: Stack, onggi: Onggi, tmp_path: Path
) -> None:
    """Options stand over the JSON file; the password comes from its file without the line end."""
    cli_stack.identity.answers["RegisterMember"] = members.RegisterMemberResponse(member=_member())
    (tmp_path / "password").write_bytes(f"\ufeff{PASSWORD}\r\n".encode())  # as an editor of Windows writes it
    profile = json.dumps({"email": "old@example.com", "organization_name": "단위농협"})
    command = ("member", "register", "--purpose", "membership", "--email", "new@example.com", "--json", "-")

    ended = onggi("--json", *command, "--password-file", str(tmp_path / "password"), stdin=profile)

    (request,) = cli_stack.identity.of("RegisterMember")
    assert ended.code == 0
    assert json.loads(ended.out)["member"]["member_id"] == MEMBER
    assert (request.profile.email, request.profile.organization_name) == ("new@example.com", "단위농협")
    assert request.password == PASSWORD
    assert uuid.UUID(request.request_id).version == 4


@pytest.mark.parametrize("content", ["[]", "{", '{"emial": "x"}', '{"email": 1}'])
def test_a_file_that_does_not_fit_is_refused_without_repeating_it(content: str, cli_stack: Stack, onggi: Onggi) -> None:
    """Exit 2, nothing sent, and only the known names are told."""
    ended = onggi("member", "register", "--purpose", "membership", "--json", "-", stdin=content)

    assert ended.code == 2
    assert "emial" not in ended.err
    assert not cli_stack.identity.asked


def test_what_no_call_can_carry_is_not_sent(cli_stack: Stack, onggi: Onggi) -> None:
    """A server refuses it without a reason, as what may be tried again later; the command says what is wrong."""
    command = ("member", "register", "--purpose", "membership", "--json", "-")
    ended = onggi(*command, stdin=json.dumps({"address": "x" * 3_000_000, "password": PASSWORD}))

    assert ended.code == 2
    assert "larger than a service takes" in ended.err
    assert not cli_stack.identity.asked


def test_an_update_names_what_it_changes(cli_stack: Stack, onggi: Onggi) -> None:
    """update_mask holds the given fields and no others; without any, nothing is sent."""
    cli_stack.identity.answers["UpdateMember"] = members.UpdateMemberResponse(member=_member())
    command = ("member", "update", MEMBER, "--purpose", "support", "--etag", "W/1")

    assert onggi(*command, "--address", "서울특별시").code == 0
    assert onggi(*command, "--json", "-", stdin=json.dumps({"password": PASSWORD})).code == 0
    assert onggi(*command).code == 2

    first, second = cli_stack.identity.of("UpdateMember")
    assert list(first.update_mask.paths) == ["address"]
    assert list(second.update_mask.paths) == ["password"]
    assert second.password == PASSWORD


def test_find_takes_exactly_one_key_and_can_read_it_from_standard_input(cli_stack: Stack, onggi: Onggi) -> None:
    """AC-10: one exact value; `-` keeps it out of the shell history."""
    cli_stack.identity.answers["FindMember"] = members.FindMemberResponse(member=_member())
    command = ("member", "find", "--purpose", "support")

    assert onggi(*command, "--business-registration-number", "-", stdin=f"{BUSINESS_NUMBER}\n").code == 0
    assert onggi(*command).code == 2
    assert onggi(*command, "--email", "a@example.com", "--organization-number", "1").code == 2

    (request,) = cli_stack.identity.of("FindMember")
    assert request.business_registration_number == BUSINESS_NUMBER


def test_a_list_follows_pages_and_reads_no_more_than_asked(cli_stack: Stack, onggi: Onggi) -> None:
    """Pages of two; a limit of three takes two pages, asks for one in the second, and says that there is more."""

    def page(request: contacts.ListContactsRequest) -> contacts.ListContactsResponse:
        start = int(request.page_token or 0)
        end = min(start + min(request.page_size, 2), 5)
        found = [contacts.Contact(contact_id=f"contact-{number}") for number in range(start, end)]
        return contacts.ListContactsResponse(contacts=found, next_page_token=str(end) if end < 5 else "")

    cli_stack.identity.answers["ListContacts"] = page

    some = onggi("member", "contacts", MEMBER, "--purpose", "support", "--limit", "3", "--json")
    sizes = [request.page_size for request in cli_stack.identity.of("ListContacts")]
    every = onggi("member", "contacts", MEMBER, "--purpose", "support", "--json")

    assert [one["contact_id"] for one in json.loads(some.out)["contacts"]] == ["contact-0", "contact-1", "contact-2"]
    assert json.loads(some.out)["more"] is True
    assert sizes == [3, 1]
    assert len(json.loads(every.out)["contacts"]) == 5
    assert json.loads(every.out)["more"] is False


def test_the_executable_works_from_any_folder_and_through_a_link(cli_stack: Stack, tmp_path: Path) -> None:
    """bin/onggi finds the repository, its Python and its stubs, and loads no code from where the operator stands."""
    cli_stack.identity.answers["GetMember"] = members.GetMemberResponse(member=_member())
    link = tmp_path / "onggi"
    link.symlink_to(COMMAND)
    (tmp_path / "cli").mkdir()
    (tmp_path / "cli" / "__init__.py").write_text("raise SystemExit(99)")

    done = subprocess.run(
        [str(link), "member", "get", MEMBER, "--purpose", "support", "--json"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "ONGGI_CLI_CONFIG": str(cli_stack.config), "LC_ALL": "C"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["member"]["member_id"] == MEMBER

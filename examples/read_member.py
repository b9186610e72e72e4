"""Reads one member, masked, from the stack that `make run` keeps up.

PYTHONPATH=gen .venv/bin/python examples/read_member.py MEMBER_ID [cli.toml]
"""

import sys
import tomllib
from pathlib import Path

import grpc
from google.rpc.error_details_pb2 import ErrorInfo
from grpc_status import rpc_status
from onggi.access.v1.access_context_pb2 import VIEW_MASKED, AccessContext
from onggi.identity.v1.member_service_pb2 import GetMemberRequest
from onggi.identity.v1.member_service_pb2_grpc import MemberServiceStub


def connect(config_file: Path, service: str, caller: str) -> grpc.Channel:
    """Open a channel over mutual TLS. Who calls is what the client certificate says, and nothing else."""
    config = tomllib.loads(config_file.read_text(encoding="utf-8"))
    mine, server = config["callers"][caller], config["services"][service]
    ca, key, certificate = (Path(file).read_bytes() for file in (config["ca"], mine["key"], mine["certificate"]))
    credentials = grpc.ssl_channel_credentials(ca, key, certificate)
    return grpc.secure_channel(
        server["address"], credentials, [("grpc.ssl_target_name_override", server["server_name"])]
    )


def reason_of(error: grpc.RpcError) -> str:
    """Return why the call failed, as docs/errors.md lists it; empty when no Onggi service answered."""
    info = ErrorInfo()
    if isinstance(error, grpc.Call) and (status := rpc_status.from_call(error)) is not None:
        any(detail.Unpack(info) for detail in status.details)  # the first that is one fills it
    return str(info.reason)


def main(member_id: str, config_file: Path) -> int:
    """Print the member; return the exit code."""
    access = AccessContext(purpose="support", ticket="CS-1042")
    request = GetMemberRequest(access=access, member_id=member_id, view=VIEW_MASKED)
    with connect(config_file, service="identity", caller="support") as channel:
        try:
            answer, call = MemberServiceStub(channel).GetMember.with_call(request, timeout=2.0)
        except grpc.RpcError as error:
            print(f"refused: {reason_of(error) or 'no answer'}", file=sys.stderr)
            return 1
    print(answer.member.profile)
    print("entry in the processing log:", dict(call.trailing_metadata())["onggi-record-id"])
    return 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], Path(sys.argv[2] if len(sys.argv) > 2 else "build/stack/cli.toml")))

"""The values of a member as options or as a JSON file, and the password, which is only ever asked for or read."""

from typing import Annotated, Final

import typer
from onggi.identity.v1.member_service_pb2 import MemberProfile

from cli import asking

FIELDS: Final = tuple(str(field.name) for field in MemberProfile.DESCRIPTOR.fields)

Email = Annotated[str, typer.Option("--email", help="이메일 주소.", show_default=False)]
OrganizationName = Annotated[str, typer.Option("--organization-name", help="단체명.", show_default=False)]
OrganizationNumber = Annotated[str, typer.Option("--organization-number", help="단체고유번호.", show_default=False)]
BusinessNumber = Annotated[
    str, typer.Option("--business-registration-number", help="사업자등록번호.", show_default=False)
]
RepresentativeName = Annotated[str, typer.Option("--representative-name", help="대표자명.", show_default=False)]
Address = Annotated[str, typer.Option("--address", help="소재지.", show_default=False)]
RepresentativePhone = Annotated[str, typer.Option("--representative-phone", help="대표번호.", show_default=False)]
JsonFile = Annotated[
    str | None,
    typer.Option(
        "--json",
        metavar="FILE",
        help="Take the values from a JSON object with the names of the contract; - reads standard input, so that they "
        "stand in no shell history. For an answer in JSON put --json before the command.",
        show_default=False,
    ),
]
PasswordFile = Annotated[
    str | None,
    typer.Option(
        "--password-file", metavar="FILE", help="비밀번호 from a file; - reads standard input.", show_default=False
    ),
]


def given(options: dict[str, str], json_file: str | None) -> tuple[dict[str, str], str | None]:
    """Profile values by field name, options before the file, and the file's password if it has one.

    Raises UsageError.
    """
    from_file = asking.json_fields(json_file, (*FIELDS, "password"))
    password = from_file.pop("password", None)
    return from_file | {name: value for name, value in options.items() if value}, password


def password(in_json: str | None, file: str | None) -> str:
    """The password from the JSON object, the file, or a hidden prompt. Raises UsageError."""
    if in_json is not None:
        return in_json
    if file is not None:
        return asking.secret_file(file)
    return asking.hidden("password", "--password-file FILE, or a password in --json FILE", twice=True)

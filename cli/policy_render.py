"""`onggi policy render`: the published text, and what is shown when a consent is asked for."""

import sys
from typing import Annotated

import typer

from chassis.policy.privacy_policy import PrivacyPolicy
from chassis.policy.render import TextRefused, consent_text
from chassis.policy.render import render as rendered
from chassis.policy.wording import Language
from cli.failures import CheckError, UsageError
from cli.policy_files import BESIDE_THE_PROGRAM, Directory, opened, texts_of
from cli.session import Session

Lang = Annotated[Language, typer.Option("--lang", help="The language.")]
Html = Annotated[bool, typer.Option("--html", help="As an HTML page, not as Markdown.")]
Asked = Annotated[
    str,
    typer.Option(
        "--consent", metavar="NAME", help="Instead: what is shown when this consent is asked for.", show_default=False
    ),
]


def render(
    session: Session,
    *,
    lang: Lang = "ko",
    html: Html = False,
    consent: Asked = "",
    directory: Directory = BESIDE_THE_PROGRAM,
) -> None:
    """Write the whole 개인정보처리방침, 제1조 to 부칙, to standard output; every fact in it comes from the data."""
    policy, texts = opened(directory), texts_of(directory)
    if consent:
        _refuse_unknown(policy, consent, html=html)
    try:
        text = consent_text(policy, consent, lang, texts) if consent else rendered(policy, lang, html, texts)
    except TextRefused as refusal:
        raise CheckError(f"the text is refused: {refusal}") from None
    if session.options.json:
        session.print_json({"language": lang, "html": html, "text": text})
        return
    sys.stdout.write(text)


def _refuse_unknown(policy: PrivacyPolicy, consent: str, *, html: bool) -> None:
    if consent not in policy.purposes.consents:
        raise UsageError(f"no such consent; the policy has: {', '.join(policy.purposes.consents)}")
    if html:
        raise UsageError("--consent has no --html: the text goes into a page of the portal's own")

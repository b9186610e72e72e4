"""`onggi policy render`: the published text."""

import sys
from typing import Annotated

import typer

from chassis.policy.render import TEXTS
from chassis.policy.render import render as rendered
from chassis.policy.wording import Language
from cli.policy_files import BESIDE_THE_PROGRAM, Directory, opened
from cli.session import Session

Lang = Annotated[Language, typer.Option("--lang", help="The language.")]
Html = Annotated[bool, typer.Option("--html", help="As an HTML page, not as Markdown.")]


def render(
    session: Session, *, lang: Lang = "ko", html: Html = False, directory: Directory = BESIDE_THE_PROGRAM
) -> None:
    """Write the whole 개인정보처리방침, 제1조 to 부칙, to standard output; every fact in it comes from the data."""
    policy = opened(directory)
    texts = directory / "text"
    text = rendered(policy, lang, html, texts if texts.is_dir() else TEXTS)
    if session.options.json:
        session.print_json({"language": lang, "html": html, "text": text})
        return
    sys.stdout.write(text)

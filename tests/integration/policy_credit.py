"""A copy of the policy of somebody who is a user of credit information: the maximum of 신용정보법 제20조의2 is in force."""

import shutil
from pathlib import Path

from dev.environment import ROOT

_SETTING = "[credit_information_user]\nvalue = false\n"


def in_force(directory: Path) -> Path:
    """Copy the policy, with the setting on.

    No consent of the policy keeps anything as long as five years after its member has left. For there to be something to
    cut, the records of misuse are kept for ten years here, are credit information too, and may have payments beside them,
    to which their consent goes.
    """
    copy = Path(shutil.copytree(ROOT / "policy", directory / "policy"))
    _change(copy / "settings.toml", _SETTING, _SETTING.replace("false", "true"))
    chapter = copy / "chapters" / "4-retention.toml"
    _change_row(chapter, "[categories.R-04]\n", "keeps = [\n", 'keeps = [\n    "PaymentRecord.supplied",\n')
    _change_row(chapter, "[categories.R-04]\n", 'period = "1 year"', 'period = "10 years"')
    _change_row(chapter, "[records.misuse]\n", '"R-04", "R-23"]', '"R-04", "R-23", "R-25"]')
    _change_row(chapter, "[records.misuse]\n", 'stands_under = ["R-04"]', 'stands_under = ["R-04", "R-25"]')
    _change_row(chapter, "[records.payment]\n", 'may_stand_under = ["R-01",', 'may_stand_under = ["R-01", "R-04",')
    items, more = 'items = ["misuse_record", "ip_address"]', 'items = ["misuse_record", "ip_address", "payment_record"]'
    _change(copy / "chapters" / "2-purposes.toml", items, more)
    return copy


def _change(file: Path, before: str, after: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert text.count(before) == 1, before
    file.write_text(text.replace(before, after), encoding="utf-8")


def _change_row(file: Path, title: str, before: str, after: str) -> None:
    head, found, rows = file.read_text(encoding="utf-8").partition(title)
    row, end, others = rows.partition("\n[")
    assert found, title
    assert row.count(before) == 1, before
    file.write_text(head + found + row.replace(before, after) + end + others, encoding="utf-8")

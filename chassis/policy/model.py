"""What every table of the policy's files is: frozen, and refuses what it does not know."""

from pydantic import BaseModel, ConfigDict


class Table(BaseModel):
    """One table of a TOML file under ``policy/``. Blank text is no text."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_min_length=1, str_strip_whitespace=True)


class Named(Table):
    """A table with the name that people read, in the law's language and in English."""

    korean: str
    english: str

"""The settings that a process of the stack would read."""

import os
from typing import TypeVar

import pytest
from pydantic_settings import BaseSettings

from dev.stack import Stack

Kind = TypeVar("Kind", bound=BaseSettings)


def read(kind: type[Kind], stack: Stack, service: str) -> Kind:
    """The settings, of a service's kind, from the environment that the stack gives to the service and from no other."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("ONGGI_")]:
            patch.delenv(name)
        for name, value in stack.env_for(service).items():
            if name.startswith("ONGGI_"):
                patch.setenv(name, value)
        return kind()

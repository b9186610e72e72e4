"""Finds the programs that wheels carry; the packages around them are not imported, only their files are wanted."""

import importlib.util
from pathlib import Path


def package_directory(package: str) -> Path:
    """The directory of an installed package.

    Raises:
        FileNotFoundError: it is not installed.

    """
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        raise FileNotFoundError(f"the package {package} is not installed")
    return Path(found.origin).parent

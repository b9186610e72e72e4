"""Renders the Kubernetes manifests and validates each document strictly: a typo fails here and not in a cluster.

Run by `make check`. Each Kustomize directory is rendered with the `kubectl` beside this interpreter, and every
document is held against the schemas of the newest Kubernetes that `kubernetes_validate` ships. A kind without a schema
is an error.
"""

import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]
import yaml

ROOT = Path(__file__).resolve().parent.parent
DIRECTORIES = ("deploy/k8s/base", "deploy/k8s/overlays/dev")
VERSION: str = kubernetes_validate.latest_version()


class RenderError(Exception):
    """Kustomize refused a directory, or had something to warn of; the text is its own."""


def render(directory: str) -> list[dict[str, Any]]:
    """Return the documents that Kustomize makes of `directory` (relative to the repository).

    Raises RenderError when kustomize fails, and when it warns: its warnings announce what the next version refuses.
    """
    kubectl = Path(sys.executable).parent / "kubectl"
    done = subprocess.run(
        [str(kubectl), "kustomize", str(ROOT / directory)], capture_output=True, text=True, check=False, timeout=60
    )
    if done.returncode != 0 or done.stderr.strip():
        raise RenderError(done.stderr.strip() or f"kustomize ended with {done.returncode}")
    return [document for document in yaml.safe_load_all(done.stdout) if document]


def complaints(documents: list[dict[str, Any]]) -> list[str]:
    """Return `kind/name: path: reason` for every document that Kubernetes VERSION would not take as it stands."""
    found = []
    for document in documents:
        name = f"{document.get('kind', '?')}/{document.get('metadata', {}).get('name', '?')}"
        try:
            kubernetes_validate.validate(document, VERSION, strict=True)
        except kubernetes_validate.ValidationError as error:
            path = ".".join(str(step) for step in error.absolute_path) or "."
            found.append(f"{name}: {path}: {error.message}")
        except (kubernetes_validate.SchemaNotFoundError, kubernetes_validate.InvalidSchemaError) as error:
            found.append(f"{name}: {error.message}")
        except KeyError as error:
            found.append(f"{name}: no {error} in the document")
    return found


def main() -> int:
    """Check every directory, print one line for each and one for every fault; return 1 when there is a fault."""
    faults = 0
    for directory in DIRECTORIES:
        try:
            documents = render(directory)
        except RenderError as error:
            print(f"{directory}: {error}", file=sys.stderr)
            faults += 1
            continue
        found = complaints(documents)
        for complaint in found:
            print(f"{directory}: {complaint}", file=sys.stderr)
        faults += len(found)
        kinds = Counter(document.get("kind", "?") for document in documents)
        counts = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
        print(f"{directory}: {len(documents)} documents against Kubernetes {VERSION}, {len(found)} faults ({counts})")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())

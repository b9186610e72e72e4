"""Ways to walk rendered documents, the same for every rule."""

from collections.abc import Iterator
from typing import Any

Document = dict[str, Any]
Documents = list[Document]

NAME = "app.kubernetes.io/name"
COMPONENT = "app.kubernetes.io/component"


def of_kind(documents: Documents, *kinds: str) -> Documents:
    """Return the documents of these kinds, in the order rendered."""
    return [document for document in documents if document["kind"] in kinds]


def workloads(documents: Documents) -> Documents:
    """Return what runs pods: Deployments and Jobs."""
    return of_kind(documents, "Deployment", "Job")


def title(document: Document) -> str:
    """Return `Kind/name`, as findings name a document."""
    return f"{document['kind']}/{document['metadata']['name']}"


def pod_spec(workload: Document) -> Document:
    """Return the pod specification of a Deployment or Job."""
    spec: Document = workload["spec"]["template"]["spec"]
    return spec


def pod_labels(workload: Document) -> dict[str, str]:
    """Return the labels that the workload's pods carry."""
    labels: dict[str, str] = workload["spec"]["template"]["metadata"]["labels"]
    return labels


def containers(workload: Document) -> list[Document]:
    """Return every container of the pod, those that run before the others included."""
    spec = pod_spec(workload)
    return [*spec.get("initContainers", []), *spec["containers"]]


def environment(documents: Documents, workload: Document) -> dict[str, str]:
    """Return the first container's environment: its ConfigMaps, and its own `env` over them, as the kubelet does."""
    maps = {document["metadata"]["name"]: document.get("data", {}) for document in of_kind(documents, "ConfigMap")}
    container = pod_spec(workload)["containers"][0]
    values: dict[str, str] = {}
    for source in container.get("envFrom", []):
        values |= maps.get(source.get("configMapRef", {}).get("name"), {})
    return values | {entry["name"]: entry.get("value", "") for entry in container.get("env", [])}


def secret_keys(documents: Documents) -> dict[str, set[str]]:
    """Return the Secrets that pods mount and the keys they take of each; `*` stands for a Secret mounted whole."""
    found: dict[str, set[str]] = {}
    for workload in workloads(documents):
        for volume in pod_spec(workload).get("volumes", []):
            for name, items in secret_sources(volume):
                found.setdefault(name, set()).update(item["key"] for item in items)
                if not items:
                    found[name].add("*")
    return found


def secret_sources(volume: Document) -> Iterator[tuple[str, list[Document]]]:
    """Yield the name and the items of each Secret in a volume."""
    if "secret" in volume:
        yield volume["secret"]["secretName"], volume["secret"].get("items", [])
    for source in volume.get("projected", {}).get("sources", []):
        if "secret" in source:
            yield source["secret"]["name"], source["secret"].get("items", [])

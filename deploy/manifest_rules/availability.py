"""Whether the pods survive what a cluster does to them every week: drains, updates, crowded nodes, new images."""

import math
import re

from .documents import (
    COMPONENT,
    NAME,
    Documents,
    containers,
    environment,
    of_kind,
    pod_labels,
    pod_spec,
    title,
    workloads,
)

DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")


def budgets_allow_drains(documents: Documents) -> list[str]:
    """Every Deployment has one budget that lets a pod go at any time, and a pod that is not ready at once."""
    found = []
    budgets = of_kind(documents, "PodDisruptionBudget")
    for deployment in of_kind(documents, "Deployment"):
        labels = pod_labels(deployment)
        own = [each for each in budgets if each["spec"]["selector"]["matchLabels"].items() <= labels.items()]
        if len(own) != 1:
            found.append(f"{title(deployment)} has {len(own)} budgets, and needs one")
        for budget in own:
            spec, replicas = budget["spec"], deployment["spec"]["replicas"]
            if "maxUnavailable" in spec:
                spare = _pods(spec["maxUnavailable"], replicas)
            else:
                spare = replicas - _pods(spec["minAvailable"], replicas)
            if spare < 1:
                found.append(f"{title(budget)} never lets a pod of {replicas} go")
            if spec.get("unhealthyPodEvictionPolicy") != "AlwaysAllow":
                found.append(f"{title(budget)} keeps a pod that is not ready")
    return found


def _pods(amount: int | str, replicas: int) -> int:
    """Both fields of a budget take a number or a percentage, and Kubernetes rounds the latter up."""
    if isinstance(amount, str):
        return math.ceil(int(amount.removesuffix("%")) * replicas / 100)
    return amount


def updates_lose_nothing(documents: Documents) -> list[str]:
    """An update starts the new pod before it stops the old one."""
    return [
        f"{title(each)} may stop a pod before its successor is ready"
        for each in of_kind(documents, "Deployment")
        if each["spec"].get("strategy", {}).get("rollingUpdate", {}).get("maxUnavailable") != 0
    ]


def stop_fits(documents: Documents) -> list[str]:
    """The pause before the signal, the drain and the grace for running calls end before the kubelet kills the pod."""
    found = []
    for deployment in of_kind(documents, "Deployment"):
        spec, values = pod_spec(deployment), environment(documents, deployment)
        pause = spec["containers"][0].get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        needed = pause + float(values["ONGGI_SERVER__DRAIN_SECONDS"]) + float(values["ONGGI_SERVER__GRACE_SECONDS"])
        if pause < 1:
            found.append(f"{title(deployment)} does not pause before it stops")
        if needed >= spec.get("terminationGracePeriodSeconds", 30):
            found.append(f"{title(deployment)} needs {needed:g} s to stop and is killed before")
    return found


def resources_bounded(documents: Documents) -> list[str]:
    """Every container asks for processor and memory and is held to a limit of both."""
    return [
        f"{title(workload)} sets no {resource} {kind}"
        for workload in workloads(documents)
        for container in containers(workload)
        for kind in ("requests", "limits")
        for resource in ("cpu", "memory")
        if not container.get("resources", {}).get(kind, {}).get(resource)
    ]


def images_pinned(documents: Documents) -> list[str]:
    """Every image is named by digest."""
    return [
        f"{title(workload)} runs {container['image']}, which is no digest"
        for workload in workloads(documents)
        for container in containers(workload)
        if not DIGEST.search(container["image"])
    ]


def migrations_fit(documents: Documents) -> list[str]:
    """Every Deployment has one migration, of the same image, and the two run the same part of the same module."""
    found = []
    for deployment in of_kind(documents, "Deployment"):
        name = deployment["metadata"]["name"]
        jobs = [each for each in of_kind(documents, "Job") if each["metadata"]["labels"].get(NAME) == name]
        if [title(job) for job in jobs] != [f"Job/migrate-{name}"]:
            found.append(f"{title(deployment)} has the migrations {[title(job) for job in jobs]}")
        server = pod_spec(deployment)["containers"][0]
        for job in jobs:
            migration = pod_spec(job)["containers"][0]
            if migration["image"] != server["image"]:
                found.append(f"{title(job)} runs {migration['image']}, its server {server['image']}")
            module, *part = server["args"]
            if migration["args"] != [module, "-".join([*part, "migrate"])]:
                found.append(f"{title(job)} runs {migration['args']}, its server {server['args']}")
            if pod_labels(job).get(COMPONENT) != "migration":
                found.append(f"{title(job)} is not labelled as a migration")
    return found

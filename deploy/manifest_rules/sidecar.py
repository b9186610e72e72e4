"""Whether every server has beside it what sends its spans: of the same release, and with no right beyond that."""

from pydantic_settings import BaseSettings

from .documents import Documents, environment, of_kind, pod_spec, title
from .settings import known_settings
from .wiring import mounted_files


def spans_fit(documents: Documents, settings: type[BaseSettings]) -> list[str]:
    """Every Deployment has one container `spans` that fits its server.

    It is a sidecar, of the server's image and settings, runs the same part of the same module, has no probe, and mounts
    the files that `settings` name and no other: not the service's password, not the token for OpenBao.
    """
    read = [name for name in known_settings(settings) if name.endswith("_FILE")]
    found = []
    for deployment in of_kind(documents, "Deployment"):
        spec = pod_spec(deployment)
        server = spec["containers"][0]
        beside = [each for each in spec.get("initContainers", []) if each["name"] == "spans"]
        if len(beside) != 1:
            found.append(f"{title(deployment)} has {len(beside)} containers that send spans, and needs one")
        values = environment(documents, deployment)
        for spans in beside:
            if spans.get("restartPolicy") != "Always":
                found.append(f"{title(deployment)} waits for its spans container to end before it serves")
            found += [
                f"{title(deployment)} has another {same} for its spans"
                for same in ("image", "envFrom")
                if spans.get(same) != server.get(same)
            ]
            module, *part = server["args"]
            if spans["args"] != [module, "-".join([*part, "spans"])]:
                found.append(f"{title(deployment)} sends spans by {spans['args']}, its server runs {server['args']}")
            found += [f"{title(deployment)} ties {name} to its spans" for name in spans if name.endswith("Probe")]
            needed, files = {values.get(name) for name in read}, mounted_files(deployment, spans)
            found += [f"{title(deployment)} has no {path} for its spans" for path in needed - files]
            found += [
                f"{title(deployment)} has {path} for its spans, which they do not need" for path in files - needed
            ]
    return found

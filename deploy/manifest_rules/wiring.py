"""Names that one document uses and another must have: labels, ports, accounts, ConfigMaps, Secrets, mounted files."""

from .documents import (
    Document,
    Documents,
    containers,
    environment,
    of_kind,
    pod_labels,
    pod_spec,
    secret_keys,
    secret_sources,
    title,
    workloads,
)

MIGRATION_READS = ("ONGGI_DATABASE__PASSWORD_FILE", "ONGGI_DATABASE__CA_FILE")


def selectors_match(documents: Documents) -> list[str]:
    """Every selector picks the pods of exactly one Deployment, and of no Job: a migration must never be called."""
    found = []
    for document in of_kind(documents, "Deployment", "Service", "PodDisruptionBudget"):
        selector = document["spec"]["selector"]
        labels = selector if document["kind"] == "Service" else selector["matchLabels"]
        picked = [title(each) for each in workloads(documents) if labels.items() <= pod_labels(each).items()]
        if picked != [f"Deployment/{document['metadata']['name']}"]:
            found.append(f"{title(document)} selects {picked or 'no pod'}")
    return found


def spreads_match(documents: Documents) -> list[str]:
    """Every spread constraint counts the pods of its own Deployment alone, and no node that is being drained."""
    found = []
    for workload in of_kind(documents, "Deployment"):
        constraints = pod_spec(workload).get("topologySpreadConstraints", [])
        if not constraints:
            found.append(f"{title(workload)} has no spread constraint")
        for constraint in constraints:
            labels = pod_labels(workload)
            fixed = constraint["labelSelector"]["matchLabels"]
            own = {key: labels[key] for key in constraint.get("matchLabelKeys", []) if key in labels}
            counted = [
                title(each) for each in workloads(documents) if (fixed | own).items() <= pod_labels(each).items()
            ]
            if counted != [title(workload)]:
                found.append(f"{title(workload)} spreads over {counted or 'no pod'}")
            if constraint.get("nodeTaintsPolicy") != "Honor":
                found.append(f"{title(workload)} counts drained nodes when it spreads by {constraint['topologyKey']}")
    return found


def ports_exist(documents: Documents) -> list[str]:
    """Service targets and probes name ports that the container has, and the settings bind those very ports."""
    found = []
    deployments = {each["metadata"]["name"]: each for each in of_kind(documents, "Deployment")}
    ports = {name: pod_spec(each)["containers"][0].get("ports", []) for name, each in deployments.items()}
    for service in of_kind(documents, "Service"):
        named = {port["name"] for port in ports.get(service["metadata"]["name"], [])}
        found += [
            f"{title(service)} targets the port {port['targetPort']}, which the pod does not have"
            for port in service["spec"]["ports"]
            if port.get("targetPort") not in named
        ]
    for name, deployment in deployments.items():
        numbers = {port["name"]: port["containerPort"] for port in ports[name]}
        container = pod_spec(deployment)["containers"][0]
        for probe, asked in (("startupProbe", ""), ("readinessProbe", ""), ("livenessProbe", "liveness")):
            grpc = container.get(probe, {}).get("grpc", {})
            if grpc.get("port") != numbers.get("health"):
                found.append(f"{title(deployment)} {probe} asks the port {grpc.get('port')}, not the health port")
            if grpc.get("service") != asked:
                found.append(f"{title(deployment)} {probe} asks for {grpc.get('service')!r}, not {asked!r}")
        values = environment(documents, deployment)
        for setting, port_name in (("ONGGI_SERVER__ADDRESS", "grpc"), ("ONGGI_SERVER__HEALTH_ADDRESS", "health")):
            if values.get(setting, "").rpartition(":")[2] != str(numbers.get(port_name)):
                found.append(f"{title(deployment)} binds {values.get(setting)!r}, not its {port_name} port")
    return found


def holders_exist(documents: Documents) -> list[str]:
    """Every holder that retention is told to call is a Service of this namespace, at a port it has."""
    served = {
        f"{each['metadata']['name']}.{each['metadata']['namespace']}.svc.cluster.local:{port['port']}"
        for each in of_kind(documents, "Service")
        for port in each["spec"]["ports"]
    }
    return [
        f"{title(workload)} {name} is {value}, which no Service is"
        for workload in of_kind(documents, "Deployment")
        for name, value in environment(documents, workload).items()
        if name.startswith("ONGGI_HOLDERS__") and name.endswith("__ADDRESS") and value not in served
    ]


def references_exist(documents: Documents) -> list[str]:
    """ConfigMaps, ServiceAccounts and volumes that a pod names are there, and every volume is mounted."""
    found = []
    maps = {each["metadata"]["name"] for each in of_kind(documents, "ConfigMap")}
    accounts = {each["metadata"]["name"] for each in of_kind(documents, "ServiceAccount")}
    for workload in workloads(documents):
        spec = pod_spec(workload)
        if spec.get("serviceAccountName") not in accounts:
            found.append(f"{title(workload)} runs as {spec.get('serviceAccountName')}, which is no ServiceAccount here")
        for container in containers(workload):
            asked = [source.get("configMapRef", {}).get("name") for source in container.get("envFrom", [])]
            found += [
                f"{title(workload)} reads ConfigMap {name}, which is not here" for name in asked if name not in maps
            ]
        volumes = {volume["name"] for volume in spec.get("volumes", [])}
        mounted = {mount["name"] for each in containers(workload) for mount in each.get("volumeMounts", [])}
        found += [f"{title(workload)} mounts {name}, which is no volume" for name in sorted(mounted - volumes)]
        found += [
            f"{title(workload)} has the volume {name} and does not mount it" for name in sorted(volumes - mounted)
        ]
    return found


def secrets_documented(documents: Documents, documented: dict[str, set[str]]) -> list[str]:
    """The Secrets and keys that pods mount are those that the reader is told to make: no more, no fewer."""
    used = secret_keys(documents)
    return [
        f"Secret {name}: pods take {sorted(used.get(name, set()))}, documented {sorted(documented.get(name, set()))}"
        for name in sorted(used.keys() | documented.keys())
        if used.get(name) != documented.get(name)
    ]


def files_mounted(documents: Documents) -> list[str]:
    """Every file that a setting names is mounted at that path; a migration needs only what it reads."""
    found = []
    for workload in workloads(documents):
        files = mounted_files(workload, pod_spec(workload)["containers"][0])
        for name, path in environment(documents, workload).items():
            read = name.endswith("_FILE") and (workload["kind"] == "Deployment" or name in MIGRATION_READS)
            if read and path not in files:
                found.append(f"{title(workload)} {name} is {path}, which is not mounted")
    return found


def mounted_files(workload: Document, container: Document) -> set[str]:
    """Return the paths of the files that the pod's volumes give one of its containers."""
    volumes = {volume["name"]: volume for volume in pod_spec(workload).get("volumes", [])}
    files: set[str] = set()
    for mount in container.get("volumeMounts", []):
        volume = volumes.get(mount["name"], {})
        tokens = [source.get("serviceAccountToken") for source in volume.get("projected", {}).get("sources", [])]
        paths = [item["path"] for _, items in secret_sources(volume) for item in items]
        files.update(f"{mount['mountPath']}/{path}" for path in paths)
        files.update(f"{mount['mountPath']}/{token['path']}" for token in tokens if token)
    return files

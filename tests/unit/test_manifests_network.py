"""The NetworkPolicies let through the connections of the table below, written by hand, and not one more."""

import copy

import pytest

from deploy.check_manifests import DIRECTORIES, render
from deploy.manifest_rules.documents import Documents, of_kind
from deploy.manifest_rules.network import Endpoint, Port, endpoints, reachable, selects

GRPC, HEALTH, POSTGRESQL, OPENBAO, OTLP = (("TCP", port) for port in (8443, 8081, 5432, 8200, 4317))
DNS = {("UDP", 53), ("TCP", 53)}
PORTS = {GRPC, HEALTH, POSTGRESQL, OPENBAO, OTLP, *DNS, ("TCP", 22), ("TCP", 443), ("UDP", 8443), ("TCP", 6443)}

OUTSIDE = (
    Endpoint("apps", "apps"),
    Endpoint("staff", "staff"),
    Endpoint("database", "database"),
    Endpoint("openbao", "openbao"),
    Endpoint("observability", "observability"),
    Endpoint("dns", "kube-system", {"k8s-app": "kube-dns"}),
    Endpoint("kube-system", "kube-system"),
    Endpoint("default", "default"),
    Endpoint("look-alike", "default", {"app.kubernetes.io/name": "retention", "app.kubernetes.io/component": "server"}),
    Endpoint("bystander", "onggi"),
    Endpoint("node", None, address="192.0.2.10"),
    Endpoint("internet", None, address="203.0.113.5"),
)
SERVERS = ("archive", "identity", "payment-vault", "retention")
MIGRATIONS = tuple(f"migrate-{server}" for server in SERVERS)
CALLERS = ("apps", "staff")
ELSEWHERE = tuple(end.name for end in OUTSIDE if end.namespace != "onggi")

EXPECTED: dict[tuple[str, str], set[Port]] = {
    ("apps", "archive"): {HEALTH},
    ("apps", "identity"): {GRPC, HEALTH},
    ("apps", "payment-vault"): {GRPC, HEALTH},
    ("apps", "retention"): {HEALTH},
    ("staff", "archive"): {GRPC, HEALTH},
    ("staff", "identity"): {GRPC, HEALTH},
    ("staff", "payment-vault"): {GRPC, HEALTH},
    ("staff", "retention"): {GRPC, HEALTH},
    ("retention", "archive"): {GRPC},
    ("retention", "identity"): {GRPC},
    ("retention", "payment-vault"): {GRPC},
    ("bystander", "dns"): DNS,
    **{(elsewhere, server): {HEALTH} for elsewhere in ELSEWHERE if elsewhere not in CALLERS for server in SERVERS},
    **{(server, "database"): {POSTGRESQL} for server in SERVERS},
    **{(server, "openbao"): {OPENBAO} for server in SERVERS},
    **{(server, "observability"): {OTLP} for server in SERVERS},
    **{(server, "dns"): DNS for server in SERVERS},
    **{(migration, "database"): {POSTGRESQL} for migration in MIGRATIONS},
    **{(migration, "dns"): DNS for migration in MIGRATIONS},
}


def matrix(documents: Documents) -> dict[tuple[str, str], set[Port]]:
    """Every pair with an end in the namespace, and the ports open between them; pairs with none are left out."""
    ends = [*endpoints(documents), *OUTSIDE]
    pairs = ((source, target) for source in ends for target in ends if "onggi" in (source.namespace, target.namespace))
    return {(one.name, two.name): ports for one, two in pairs if (ports := reachable(documents, one, two, PORTS))}


@pytest.fixture(scope="module")
def rendered() -> dict[str, Documents]:
    """Both directories, rendered once."""
    return {directory: render(directory) for directory in DIRECTORIES}


@pytest.mark.parametrize("directory", DIRECTORIES)
def test_the_matrix_is_the_table(rendered: dict[str, Documents], directory: str) -> None:
    """Each pair of pods, and of pods with what is outside, has the ports of the table, egress and ingress."""
    assert EXPECTED == matrix(rendered[directory])


@pytest.mark.parametrize("name", ["default-deny", "names", "health", "migration", *SERVERS])
def test_no_policy_is_idle(rendered: dict[str, Documents], name: str) -> None:
    """Taking any one policy away changes who reaches whom, so the table would tell."""
    documents = rendered[DIRECTORIES[0]]
    rest = [each for each in documents if (each["kind"], each["metadata"]["name"]) != ("NetworkPolicy", name)]
    assert len(documents) - 1 == len(rest)
    assert EXPECTED != matrix(rest)


@pytest.mark.parametrize("direction", ["ingress", "egress"])
def test_an_open_rule_is_seen(rendered: dict[str, Documents], direction: str) -> None:
    """A rule without peers and ports lets everything through, and the matrix shows it."""
    documents = copy.deepcopy(rendered[DIRECTORIES[0]])
    (policy,) = (each for each in of_kind(documents, "NetworkPolicy") if each["metadata"]["name"] == "identity")
    policy["spec"][direction].append({})
    pair = ("default", "identity") if direction == "ingress" else ("identity", "internet")
    assert PORTS == matrix(documents)[pair]


def test_blocks_port_ranges_and_named_ports() -> None:
    """An ipBlock holds addresses less its exceptions, and no pods; a range includes its end; names are the callee's."""
    rules = [
        {"from": [{"ipBlock": {"cidr": "192.0.2.0/24", "except": ["192.0.2.128/25"]}}], "ports": [{"port": "grpc"}]},
        {"from": [{"podSelector": {}}], "ports": [{"port": 9000, "endPort": 9002}]},
    ]
    policy = {
        "kind": "NetworkPolicy",
        "metadata": {"name": "one", "namespace": "onggi"},
        "spec": {"podSelector": {}, "ingress": rules},
    }
    target = Endpoint("target", "onggi", ports={"grpc": 8443})
    ports = {GRPC, *(("TCP", port) for port in range(8999, 9004))}

    def open_from(source: Endpoint) -> set[Port]:
        return reachable([policy], source, target, ports)

    assert {GRPC} == open_from(Endpoint("inside", None, address="192.0.2.10"))
    assert set() == open_from(Endpoint("excepted", None, address="192.0.2.200"))
    assert {("TCP", 9000), ("TCP", 9001), ("TCP", 9002)} == open_from(Endpoint("pod", "onggi"))
    assert set() == open_from(Endpoint("pod", "default"))


@pytest.mark.parametrize(
    ("term", "picked"),
    [
        ({"key": "a", "operator": "In", "values": ["1"]}, True),
        ({"key": "a", "operator": "NotIn", "values": ["1"]}, False),
        ({"key": "b", "operator": "NotIn", "values": ["1"]}, True),
        ({"key": "a", "operator": "Exists"}, True),
        ({"key": "b", "operator": "Exists"}, False),
        ({"key": "a", "operator": "DoesNotExist"}, False),
    ],
)
def test_selector_terms(term: dict[str, object], picked: bool) -> None:
    """Label terms mean what Kubernetes says; a missing label satisfies NotIn."""
    assert picked is selects({"matchExpressions": [term]}, {"a": "1"})

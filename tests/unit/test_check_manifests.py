"""The schema check is strict, takes no unknown kind, and says which document it means."""

from typing import Any

import pytest

from deploy.check_manifests import RenderError, complaints, main, render


def budget(**spec: Any) -> dict[str, Any]:
    """A PodDisruptionBudget with this spec."""
    return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "one"}, "spec": spec}


def test_what_is_shipped_is_valid(capsys: pytest.CaptureFixture[str]) -> None:
    """Both directories render and validate, with one line each."""
    assert 0 == main()
    lines = capsys.readouterr().out.splitlines()
    assert ["deploy/k8s/base", "deploy/k8s/overlays/dev"] == [line.partition(":")[0] for line in lines]
    assert all("0 faults" in line for line in lines)


def test_a_good_document_has_no_complaint() -> None:
    """A valid document passes."""
    assert [] == complaints([budget(minAvailable=1)])


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (
            budget(minAvailabel=1),
            "PodDisruptionBudget/one: spec: Additional properties are not allowed ('minAvailabel'",
        ),
        (budget(minAvailable=[1]), "PodDisruptionBudget/one: spec.minAvailable: "),
        (budget() | {"kind": "PodDisruptionBudgett"}, "PodDisruptionBudgett/one: Couldn't find schema"),
        (budget() | {"apiVersion": "policy/v1beta1"}, "PodDisruptionBudget/one: Couldn't find schema"),
        ({"kind": "Service", "metadata": {"name": "one"}}, "Service/one: no 'apiVersion'"),
    ],
)
def test_a_bad_document_is_named_with_its_fault(broken: dict[str, Any], words: str) -> None:
    """Misspelt fields, wrong types, unknown kinds and versions are each one complaint."""
    (complaint,) = complaints([broken])
    assert complaint.startswith(words)


def test_a_directory_that_does_not_render_is_an_error() -> None:
    """Kustomize's own words come through."""
    with pytest.raises(RenderError, match="kustomization"):
        render("deploy/k8s/base/settings")


def test_a_fault_ends_with_exit_code_1(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """One directory that fails makes the whole check fail, and the others are checked all the same."""
    monkeypatch.setattr("deploy.check_manifests.DIRECTORIES", ("deploy/k8s/base/settings", "deploy/k8s/base"))
    assert 1 == main()
    printed = capsys.readouterr()
    assert "deploy/k8s/base/settings: " in printed.err
    assert "deploy/k8s/base: 34 documents" in printed.out

"""The files of deploy/ name settings, paths and commands that exist."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from cds_service.settings import rows

DEPLOY = Path(__file__).parent.parent.parent / "deploy"
FILES = sorted(path for path in DEPLOY.rglob("*") if path.is_file())
SETTINGS = {row.variable for row in rows()}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(DEPLOY).as_posix())
def test_a_file_names_only_settings_that_exist(path: Path) -> None:
    named = set(re.findall(r"COVERAGE_HOOKS_[A-Z_]+", path.read_text(encoding="utf-8")))
    assert named - SETTINGS == set()


def kubernetes() -> dict[str, dict[str, Any]]:
    """The Kubernetes objects by kind; of two of a kind the last."""
    return {
        document["kind"]: document
        for path in (DEPLOY / "kubernetes").glob("*.yaml")
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8"))
    }


def test_a_pod_can_write_nowhere_but_its_state_and_has_no_rights() -> None:
    pod = kubernetes()["Deployment"]["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    for container in (*pod["containers"], *pod["initContainers"]):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }


def test_a_rollout_never_goes_below_the_number_of_replicas() -> None:
    deployment = kubernetes()["Deployment"]["spec"]
    assert deployment["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    budget = kubernetes()["PodDisruptionBudget"]["spec"]["minAvailable"]
    assert 0 < budget < deployment["replicas"]
    assert kubernetes()["HorizontalPodAutoscaler"]["spec"]["minReplicas"] >= deployment["replicas"]


def test_the_secret_is_not_in_the_files() -> None:
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"(HASH_KEY|PASSWORD)\s*[:=]\s*[\"']?[A-Za-z0-9+/]{8,}", text), path.name


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
def test_kustomize_builds_the_base() -> None:
    run = subprocess.run(
        ["kubectl", "kustomize", str(DEPLOY / "kubernetes")], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert {d["metadata"].get("namespace", "coverage-hooks") for d in yaml.safe_load_all(run.stdout)} == {
        "coverage-hooks"
    }


def test_compose_keeps_the_service_off_the_network_but_for_the_proxy() -> None:
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"]
    published = {name: service.get("ports", []) for name, service in services.items()}
    assert {name: ports for name, ports in published.items() if ports} == {"service": ["127.0.0.1:8080:8080"]}
    assert services["service"]["read_only"] is True

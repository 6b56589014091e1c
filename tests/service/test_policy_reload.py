"""A payer changes its policy while the service runs: the next answers are by the new text."""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import requests

from cds_service.samples import too_few_tests
from tests.service.test_served import free_port, start

SIXTH = Path(__file__).parent.parent / "policies" / "sixth"
TITLE = "NCD 280.14 Infusion Pumps"


class Running(NamedTuple):
    base: str
    policy: Path


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    """The service with two workers and a policy folder that it looks at ten times a second."""
    folder = tmp_path / "policies"
    shutil.copytree(SIXTH, folder)
    port = free_port()
    process = start(port, COVERAGE_HOOKS_POLICY_DIRS=str(folder), COVERAGE_HOOKS_POLICY_REFRESH="0.1")
    base = f"http://127.0.0.1:{port}"
    policy = folder / "cms" / "infusion_pumps" / "policy.yaml"
    eventually(lambda: ready(base)["status"] == "ok")
    yield Running(base, policy)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=15)


def ready(base: str) -> dict[str, Any]:
    try:
        answer: dict[str, Any] = requests.get(f"{base}/health/ready", timeout=5).json()
    except requests.ConnectionError:
        return {"status": "starting"}
    return answer


def title(base: str) -> str:
    """The title of the sixth policy in a determination."""
    url = f"{base}/determinations?policies=cms.ncd-280.14"
    answer = requests.post(url, json=too_few_tests(), timeout=10).json()
    found: str = answer["determinations"][0]["policy"]["title"]
    return found


def eventually(holds: Callable[[], bool], seconds: float = 30) -> None:
    """Wait until something holds five times running: each of the two workers looks for itself."""
    end, times = time.monotonic() + seconds, 0
    while times < 5:
        assert time.monotonic() < end
        times = times + 1 if holds() else 0
        time.sleep(0.05)


def rewrite(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_a_changed_policy_answers_and_a_broken_one_does_not(running: Running) -> None:
    assert title(running.base) == TITLE
    rewrite(running.policy, f"title: {TITLE}", "title: A new title")
    eventually(lambda: title(running.base) == "A new title")

    rewrite(running.policy, "title: A new title", "titel: A broken title")
    eventually(lambda: "is it meant by 'titel'" in ready(running.base).get("refused_change", ""))
    assert ready(running.base)["status"] == "ok"
    assert title(running.base) == "A new title"

    rewrite(running.policy, "titel: A broken title", "title: A mended title")
    eventually(lambda: title(running.base) == "A mended title")
    eventually(lambda: "refused_change" not in ready(running.base))

"""Policies are picked up while the service runs; broken ones never replace good ones."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cds_service.watched_engine import WatchedEngine
from mappings.yaml_file import DataError

SIXTH = Path(__file__).parent.parent / "policies" / "sixth"


class Clock:
    """A clock that goes only when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    target = tmp_path / "policies"
    shutil.copytree(SIXTH, target)
    return target


def policy_of(watched: WatchedEngine, clock: Clock) -> str:
    """The title of the sixth policy after the next look at the folders."""
    clock.now += 10
    watched.engine()
    watched.wait()
    policy = watched.engine().registry.find("cms.ncd-280.14")
    return policy.title if policy is not None else "none"


def rename(folder: Path, old: str, new: str) -> None:
    path = folder / "cms" / "infusion_pumps" / "policy.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


def test_a_changed_policy_is_in_service_without_a_restart(folder: Path) -> None:
    clock = Clock()
    watched = WatchedEngine([folder], 5, clock=clock)
    rename(folder, "title: NCD 280.14 Infusion Pumps", "title: The new title")
    assert policy_of(watched, clock) == "The new title"


def test_a_new_folder_of_a_payer_is_picked_up(folder: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    clock = Clock()
    watched = WatchedEngine([empty], 5, clock=clock)
    assert policy_of(watched, clock) == "none"
    shutil.copytree(folder, empty, dirs_exist_ok=True)
    assert policy_of(watched, clock) == "NCD 280.14 Infusion Pumps"


def test_a_broken_policy_is_refused_and_the_old_one_keeps_serving(folder: Path) -> None:
    clock = Clock()
    watched = WatchedEngine([folder], 5, clock=clock)
    rename(folder, "fact: dx_diabetes", "fact: dx_diabetis")
    assert policy_of(watched, clock) == "NCD 280.14 Infusion Pumps"
    assert "did you mean dx_diabetes" in watched.problem
    assert "policy.yaml:" in watched.problem


def test_a_mended_policy_goes_into_service_and_clears_the_problem(folder: Path) -> None:
    clock = Clock()
    watched = WatchedEngine([folder], 5, clock=clock)
    rename(folder, "fact: dx_diabetes", "fact: dx_diabetis")
    policy_of(watched, clock)
    rename(folder, "fact: dx_diabetis", "fact: dx_diabetes")
    assert policy_of(watched, clock) == "NCD 280.14 Infusion Pumps"
    assert watched.problem == ""


def test_nothing_is_looked_at_between_two_looks(folder: Path) -> None:
    clock = Clock()
    watched = WatchedEngine([folder], 60, clock=clock)
    rename(folder, "title: NCD 280.14 Infusion Pumps", "title: The new title")
    assert policy_of(watched, clock) == "NCD 280.14 Infusion Pumps"


def test_a_broken_policy_stops_the_start(folder: Path) -> None:
    rename(folder, "fact: dx_diabetes", "fact: dx_diabetis")
    with pytest.raises(DataError, match="did you mean dx_diabetes"):
        WatchedEngine([folder], 5)

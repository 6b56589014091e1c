"""The engine of a run: the packaged library, with what further folders change.

A question such as "what if the ceiling were 7.5" is asked with a copy of a policy's folder. So a
version from a further folder takes the place of the packaged version of the same policy that begins
on the same day; one that begins on another day stands beside it, and dates decide as always.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from msgspec import structs

from cds_service.population.errors import PopulationError
from policies.engine import Engine
from policies.library import LIBRARY, policy_files
from policies.registry import Registry


def load_engine(policy_dirs: Sequence[Path]) -> Engine:
    """The packaged library, changed by further folders.

    Raises PopulationError for a folder without policies, mappings.yaml_file.DataError or
    mappings.documents.DocumentError for unusable files.
    """
    for folder in policy_dirs:
        if not policy_files(folder):
            raise PopulationError(f"{folder}: there is no policy.yaml in this folder or below it")
    engine = Engine.load(*policy_dirs)
    policies = engine.registry.policies
    changed = {(p.id, p.effective_from) for p in policies if not _packaged(p.file)}
    kept = [p for p in policies if not (_packaged(p.file) and (p.id, p.effective_from) in changed)]
    return structs.replace(engine, registry=Registry(kept, engine.value_sets))


@lru_cache(maxsize=1)
def engine_of(policy_dirs: tuple[str, ...]) -> Engine:
    """The engine of a process, loaded once."""
    return load_engine([Path(folder) for folder in policy_dirs])


def _packaged(file: str) -> bool:
    return Path(file).is_relative_to(LIBRARY)

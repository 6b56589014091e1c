"""Policies that a benchmark generates: as many payers as are asked for, each with a policy of its own.

Every one lists the code of the sample order, as the policies of rival payers do; only one of them, or
none, is the payer of the order.
"""

from __future__ import annotations

import shutil
from pathlib import Path

_SIXTH = Path(__file__).parent.parent / "policies" / "sixth"
_POLICY = Path("cms") / "infusion_pumps" / "policy.yaml"


def write_policies(folder: Path, count: int) -> None:
    """Write `count` policies into a folder that settings.policy_dirs can name."""
    for part in ("facts", "value_sets"):
        shutil.copytree(_SIXTH / part, folder / part)
    text = (_SIXTH / _POLICY).read_text(encoding="utf-8")
    payers = []
    for number in range(count):
        name = f"plan-{number}"
        target = folder / name / "infusion_pumps"
        target.mkdir(parents=True)
        own = text.replace("id: cms.ncd-280.14", f"id: {name}.pumps").replace("payer: cms", f"payer: {name}")
        (target / "policy.yaml").write_text(own, encoding="utf-8")
        payers.append(f'{name}:\n  name: Plan {number}\n  names: ["Plan {number} of the benchmark"]\n')
    (folder / "payers.yaml").write_text("".join(payers), encoding="utf-8")

"""`coverage-hooks policy questionnaire`: the form of a service, as the service hands it out."""

from __future__ import annotations

import argparse
import json
import os

from rich.console import Console

from cds_service.settings import from_environment
from mappings.yaml_file import allowed_words
from policies.engine import Engine
from policies.questionnaires.resource import questionnaire


def print_questionnaire(arguments: argparse.Namespace, console: Console) -> int:
    """Print it as JSON; 1 when the service asks for nothing that only documentation can settle."""
    engine = Engine.load(*arguments.policy_dir)
    policy = engine.registry.find(arguments.id)
    if policy is None:
        known = [p.id for p in engine.registry.policies]
        raise SystemExit(f"there is no policy {arguments.id}; {allowed_words(arguments.id, known)}")
    service = next((s for s in policy.services if s.id == arguments.service), None)
    if service is None:
        words = allowed_words(arguments.service, [s.id for s in policy.services])
        raise SystemExit(f"{policy.reference} has no service {arguments.service}; {words}")
    base = from_environment(os.environ).base_url
    form = questionnaire(policy, service, engine.catalogue, base, engine.payers.name(policy.payer))
    if form is None:
        console.print(
            f"{service.id} of {policy.reference} asks for nothing that only documentation can settle"
        )
        return 1
    console.print_json(json.dumps(form, ensure_ascii=False))
    return 0

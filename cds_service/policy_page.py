"""A page for each loaded policy: what it asks, in which words, under which clause.

Cards link to it where the payer's document has no address of its own, so that a reader gets from
"not met" to the words of the policy. A page holds nothing of any patient.
"""

from __future__ import annotations

from flask import Blueprint, render_template

from cds_service.desk import desk
from cds_service.errors import NotFoundError
from mappings.yaml_file import allowed_words

policy_pages = Blueprint("policy_pages", __name__, template_folder="templates")

PAGES = "/policies"


@policy_pages.get(f"{PAGES}/<policy_id>")
def page(policy_id: str) -> str:
    engine = desk().judge.engine
    policy = engine.registry.find(policy_id)
    if policy is None:
        known = [policy.id for policy in engine.registry.policies]
        mend = f"{allowed_words(policy_id, known)}.".capitalize()
        raise NotFoundError("unknown-policy", "There is no policy of this id.", mend=mend)
    return render_template("policy.html", policy=policy, payer=engine.payers.name(policy.payer))

"""The page at /: what is served here, for people."""

from __future__ import annotations

from flask import Blueprint, render_template

from cds_service.desk import desk
from cds_service.version import VERSION

home = Blueprint("home", __name__, template_folder="templates")


@home.get("/")
def page() -> str:
    here = desk()
    return render_template(
        "home.html",
        version=VERSION,
        open=here.settings.trust == "open",
        services=list(here.services),
        policies=here.judge.engine.registry.policies,
    )

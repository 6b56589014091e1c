"""Questionnaires as FHIR: read, search, and the operation $questionnaire-package of Da Vinci DTR.

They hold policy text and no patient data; what is sent to the operation is judged and forgotten.
"""

from __future__ import annotations

from hashlib import sha256
from urllib.parse import urlencode

import msgspec
from flask import Blueprint, Response, request

from cds_service.capability import capability_statement
from cds_service.desk import Desk, desk
from cds_service.errors import MEDIA_TYPE, NotFoundError
from cds_service.package_request import PackageRequest, checked, read_parameters
from cds_service.questionnaire_package import Packer
from cds_service.questionnaire_shelf import Json, Shelf

questionnaires = Blueprint("questionnaires", __name__, url_prefix="/fhir")


@questionnaires.get("/metadata")
def metadata() -> Response:
    here = desk()
    return _fhir(capability_statement(here.settings.base_url, here.now()))


@questionnaires.get("/Questionnaire/<name>")
def read(name: str) -> Response:
    """`/fhir/Questionnaire/{id}`; the version by ?version= or, as in a canonical address, by |version."""
    plain, _, version = name.partition("|")
    found = _shelf(desk()).by_id(plain, version or request.args.get("version", ""))
    if found is None:
        what = "There is no questionnaire of this id and version."
        mend = "GET /fhir/Questionnaire lists the questionnaires."
        raise NotFoundError("unknown-questionnaire", what, where="Questionnaire.id", mend=mend)
    return _fhir(found)


@questionnaires.get("/Questionnaire")
def search() -> Response:
    """A searchset of all current questionnaires, or of those that `url`, `version` and `_id` choose."""
    here = desk()
    shelf, used = _shelf(here), {key: request.args[key] for key in _SEARCHED if key in request.args}
    version = used.get("version", "")
    if "url" in used:
        address, _, of_address = used["url"].partition("|")
        chosen = [shelf.by_canonical(f"{address}|{of_address or version}")]
    elif "_id" in used:
        chosen = [shelf.by_id(used["_id"], version)]
    else:
        chosen = [found for found in shelf.current() if version in ("", found["version"])]
    found = [q for q in chosen if q is not None and used.get("_id", q["id"]) == q["id"]]
    address = f"{here.settings.base_url}/fhir/Questionnaire"
    bundle: Json = {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": len(found),
        "link": [{"relation": "self", "url": f"{address}?{urlencode(used)}" if used else address}],
    }
    if found:
        match = {"mode": "match"}
        bundle["entry"] = [{"fullUrl": q["url"], "resource": q, "search": match} for q in found]
    return _fhir(bundle)


@questionnaires.route("/Questionnaire/$questionnaire-package", methods=["GET", "POST"])
def package() -> Response:
    """The operation; by GET it takes what fits a query (`questionnaire`, `context`)."""
    here = desk()
    if request.method == "GET":
        names, context = request.args.getlist("questionnaire"), request.args.get("context", "")
        asked = checked(PackageRequest(canonicals=tuple(names), context=context))
    else:
        asked = read_parameters(here.body())
    return _fhir(Packer(_shelf(here), here.judge, here.now()).answer(asked))


_SEARCHED = ("url", "version", "_id")


def _shelf(here: Desk) -> Shelf:
    return Shelf(here.judge.engine, here.settings.base_url, here.now().date())


def _fhir(resource: Json) -> Response:
    """A resource with an ETag; 304 for those who have it already."""
    body = msgspec.json.encode(resource)
    response = Response(body, mimetype=MEDIA_TYPE)
    response.set_etag(sha256(body).hexdigest()[:32])
    response.make_conditional(request)
    return response

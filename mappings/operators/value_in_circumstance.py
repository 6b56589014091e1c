"""The newest result that was taken at rest, or with exertion."""

from __future__ import annotations

from collections.abc import Iterable

from mappings.codes import SNOMED, key
from mappings.evidence import Bounds, Reading, Reason, unknown
from mappings.fhir import Observation
from mappings.operators.base import Context, operator, texts
from mappings.operators.latest_value import refused_evidence, result_evidence
from mappings.pumps import texts_of
from mappings.results import series
from mappings.words import has_words

_CODES = {"rest": "263678003", "exertion": "309604004"}
_WORDS = {
    "rest": ("at rest", "resting", "rest"),
    "exertion": ("exertion", "exercise", "exercising", "with effort", "during effort"),
}


@operator(Observation, filtered=(Observation,), code_arguments=("codes",))
def value_in_circumstance(context: Context, codes: Iterable[str], kind: str, circumstance: str) -> Reading:
    """The newest result on or before day 0 that was taken in a circumstance ("rest", "exertion").

    The circumstance stands in a component (SNOMED CT 263678003 at rest, 309604004 during exercise), in
    the method or in words. A result that does not tell it is no result of either: if it is the only
    one, or newer than the others, the reading is unknown. Several results of one day give Bounds.
    """
    if circumstance not in _CODES:
        return unknown(Reason.NO_DATA, f"no circumstance is called {circumstance}")
    on_file = series(context.chart, texts(codes), kind).until(context.as_of)
    mine = [r for r in on_file.results if _taken_in(r.observation) in (circumstance, "")]
    refused = [r for r in on_file.refused if _taken_in(r.observation) in (circumstance, "")]
    if not mine and not refused:
        return unknown(Reason.NO_DATA)
    last = max([result.day.last for result in mine] + [item.day.last for item in refused])
    newest = [result for result in mine if result.day.last == last]
    told = [result for result in newest if _taken_in(result.observation)]
    if told:
        evidence = result_evidence(context, told, on_file)
        lows = [0.0 if result.comparator in ("<", "<=") else result.value for result in told]
        highs = [float("inf") if result.comparator in (">", ">=") else result.value for result in told]
        low, high = min(lows), max(highs)
        return Reading(
            low if low == high else Bounds(low, high), evidence=evidence, note=f"at {circumstance}"
        )
    if newest:
        note = "the result does not tell whether it was taken at rest or with exertion"
        return unknown(Reason.IMPRECISE, note, result_evidence(context, newest, on_file))
    latest = [item for item in refused if item.day.last == last]
    return unknown(Reason.UNIT_MISMATCH, latest[0].says, refused_evidence(context, latest))


def _taken_in(observation: Observation) -> str:
    """The circumstance of a result; "" where it tells none or several."""
    concepts = [observation.method, *(c.valueCodeableConcept for c in observation.component)]
    codings = [key(coding) for concept in concepts if concept is not None for coding in concept.coding]
    coded = {name for name, code in _CODES.items() if (SNOMED, code) in codings}
    if coded:
        return coded.pop() if len(coded) == 1 else ""
    words = [text for concept in concepts for text in texts_of(concept)]
    words += [component.valueString for component in observation.component]
    words += [note.text for note in observation.note]
    said = {
        name
        for name, phrases in _WORDS.items()
        if any(has_words(text, phrase) for text in words for phrase in phrases)
    }
    return said.pop() if len(said) == 1 else ""

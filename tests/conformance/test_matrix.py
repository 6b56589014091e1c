"""The requirement matrix: no rule without a test or a reason, no stale document."""

from __future__ import annotations

from tests.conformance.matrix import DOCUMENT, document, marked, rules


def test_every_rule_has_a_test_or_a_reason() -> None:
    _, all_rules, untested = rules()
    tests = marked()
    assert [
        rule.number for rule in all_rules if rule.number not in tests and rule.number not in untested
    ] == []


def test_a_rule_with_a_test_needs_no_reason() -> None:
    _, _, untested = rules()
    assert sorted(untested.keys() & marked().keys()) == []


def test_marks_and_reasons_name_rules_that_exist() -> None:
    _, all_rules, untested = rules()
    known = {rule.number for rule in all_rules}
    assert len(known) == 159
    assert (marked().keys() | untested.keys()) - known == set()


def test_the_document_is_current() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document()

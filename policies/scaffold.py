"""Start a policy: the files of a new folder, ready to be filled in and already loadable."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

_NAME = re.compile(r"^[a-z][a-z0-9_]*$")

_POLICY = """# What the document is, where it came from, and what was hard to read in it.
schema: coverage-policy/1
id: {payer}.{topic_id}
version: "{day}"
title: {title}
payer: {payer}
ledger: {ledger}
status: draft
attestation: sufficient
effective:
  from: {day}
  clauses: [effective]
  says: The document is effective from {day}
  cite: Quote the words that give the effective date
reviewed_on: {day}
sources:
  document:
    title: {title}
    url: https://payer.example/policy.pdf
orders:
  value_sets: [hcpcs-insulin-pump]

parameters:
  injections_per_day: {{unit: /d, values: {{{day}: 3}}, clause: c1}}

services:
  - id: {topic}
    title: {title}
    criteria:
      id: criteria
      all:
        - id: three_injections_a_day
          clauses: [c1]
          says: The member injects insulin at least 3 times a day
          fact: insulin_injections_per_day
          is: {{at_least: {{parameter: injections_per_day}}}}
          cite: Quote the words of the clause
"""

_CASES = """# What the policy answers for given facts: a case per state of each criterion, triples.
cases:
  - name: two injections a day are not enough
    as_of: {day}
    given: {{insulin_injections_per_day: 2}}
    expect: {{outcome: not-met, criteria: {{three_injections_a_day: unmet}}}}
  - name: three injections a day are enough
    as_of: {day}
    given: {{insulin_injections_per_day: 3}}
    expect: {{outcome: met, criteria: {{three_injections_a_day: met}}}}
  - name: four injections a day are enough
    as_of: {day}
    given: {{insulin_injections_per_day: 4}}
    expect: {{outcome: met, criteria: {{three_injections_a_day: met}}}}
  - name: a chart that does not tell the injections leaves it open
    as_of: {day}
    expect: {{outcome: needs-documentation, criteria: {{three_injections_a_day: unknown}}}}
"""

_CLAUSES = """# Every clause of the document: its kind, and the phase in which it matters.
ledger: {ledger}
clauses:
  "effective": [applicability, order]
  "c1": [criterion, order]
"""


def scaffold(folder: Path, payer: str, topic: str, today: date) -> list[Path]:
    """Write the files of <folder>/<payer>/<topic>/ and return them.

    Raises ValueError for a name that is no snake_case word, FileExistsError when the folder exists.
    """
    for what, name in (("payer", payer), ("topic", topic)):
        if not _NAME.match(name):
            raise ValueError(f"the {what} {name!r} must be a snake_case word, e.g. insulin_pump")
    home = folder / payer / topic
    home.mkdir(parents=True, exist_ok=False)
    words = {
        "payer": payer,
        "topic": topic.replace("_", "-"),
        "topic_id": topic.replace("_", "-"),
        "title": topic.replace("_", " ").capitalize(),
        "ledger": f"{payer}-{topic}".replace("_", "-"),
        "day": today.isoformat(),
    }
    written = []
    for name, text in (("policy.yaml", _POLICY), ("cases.yaml", _CASES), ("clauses.yaml", _CLAUSES)):
        path = home / name
        path.write_text(text.format(**words), encoding="utf-8")
        written.append(path)
    return written

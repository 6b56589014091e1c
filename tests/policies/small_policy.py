"""A small policy for tests of the loader and evaluator: one valid text that each test breaks."""

from __future__ import annotations

VALID = """\
schema: coverage-policy/1
id: plan.pump
version: "1"
title: Pump policy
payer: plan
ledger: plan-1
status: active
attestation: insufficient
effective:
  from: 2025-01-01
  clauses: [start]
  says: In force from 2025-01-01
  cite: from January 2025
reviewed_on: 2025-06-01
sources:
  doc: {title: Pump document, url: "https://plan.example/doc"}
orders:
  value_sets: [hcpcs-insulin-pump]
  listed:
    - {system: "urn:oid:2.16.840.1.113883.6.285", codes: ["E0784"], clause_prefix: "code-"}
parameters:
  injections: {unit: /d, values: {2025-01-01: 3, 2026-01-01: 4}, clause: inj}
  adult: {unit: a, values: {2025-01-01: 18}, clause: adults}
referrals:
  - id: other_source
    clauses: [refer]
    says: Members of the other plan follow the other document
    fact: member_lob
    is: {one_of: [medicaid]}
    cite: refer to the other document
scope:
  - id: adults
    clauses: [adults]
    says: The policy is for adults
    fact: member_age_years
    is: {at_least: {parameter: adult}}
    cite: for adults
services:
  - id: pump
    title: Insulin pump
    criteria:
      id: criteria
      all:
        - id: diabetes
          clauses: [dx]
          says: The member has diabetes
          fact: dx_diabetes
          is: true
          cite: a member with diabetes
        - id: user
          any:
            - id: injects
              clauses: [inj]
              says: The member injects insulin several times a day
              fact: insulin_injections_per_day
              is: {at_least: {parameter: injections}}
              cite: several injections
            - id: on_pump
              clauses: [pump]
              says: The member is on a pump
              fact: insulin_pump_in_use
              is: true
              gate: true
              cite: on a pump
        - id: taught
          clauses: [edu]
          says: The member has been taught
          fact: diabetes_education_completed
          is: true
          cite: has been taught
          ask: File the certificate.
    reservations:
      - id: pregnancy
        clauses: [preg]
        says: The member is pregnant
        fact: pregnant
        is: true
        covers: [taught]
        cite: in pregnancy earlier
exclusions:
  - id: upgrade
    clauses: [upgrade]
    says: The order replaces a working pump
    applies_when: {fact: order_is_replacement, is: true}
    fact: pump_functioning
    is: true
    cite: a working pump is not replaced
contraindications:
  - id: allergy
    clauses: [allergy]
    says: The member is allergic to insulin
    fact: allergy_to_pump_drug
    is: true
    danger: true
    cite: an allergy
documentation:
  - id: visit
    clauses: [visit]
    says: A visit is on file
    fact: last_treating_physician_visit_date
    is: {within: P6M}
    required: true
    cite: a visit
duties:
  - {id: order_form, clauses: [form], says: Send the form, phase: claim}
prior_authorization:
  - {id: always, clauses: [pa], says: Prior authorization is needed, answer: required}
caveats:
  - {id: guideline, clauses: [only], says: A guideline only, outcomes: [not-met]}
information: [history]
"""

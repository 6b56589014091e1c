"""FHIR Questionnaires that ask what only documentation can settle, generated from the policies.

One for each service of a policy. `naming` gives addresses, `needless` finds which answers spare which
questions, `questions` walks the criteria, `resource` writes FHIR R4, `response` begins an answer.
"""

"""FHIR Questionnaires that ask what only documentation can settle, generated from the policies.

One for each service of a policy. `parts` says what it is about, `questions` walks the criteria,
`needless` finds which answers spare which questions, `resource` writes FHIR R4, `response` begins an
answer, `naming` gives addresses, `offer` tells whether a form would help with an order.
"""

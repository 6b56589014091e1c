"""From FHIR resources to facts: the chart, the order, the fact catalogue and its operators.

Pure: no network, no clock, no randomness. Imports nothing from the packages above
(policies, cards, cds_service).
"""

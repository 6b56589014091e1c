"""Payer policies as data, and the pure evaluator that turns facts into determinations."""

"""Coverage information: what a payer's policy says of an order, written into the order.

Source: Da Vinci CRD 2.0.1 and 2.2.1, extension coverage-information and response type Coverage
Information. The table of what is asserted when is docs/coverage-information.md.
"""

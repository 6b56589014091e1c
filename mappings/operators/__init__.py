"""The closed set of operators that compute facts from a chart; one file per operator.

An operator is a pure function of the evaluation context and its arguments that returns a
`Reading`. Adding one: a file here, a row in `OPERATORS`, its cases under tests/mappings/operators,
a row in docs/operators.md.
"""

from __future__ import annotations

from mappings.operators.base import Operator
from mappings.operators.order_property import order_property

OPERATORS: dict[str, Operator] = {operator.name: operator for operator in (order_property,)}

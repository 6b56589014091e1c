"""Bad input by the thousands: no fault, no hang, no memory that grows. Seeds are fixed, so CI repeats itself."""

# How many inputs each file sends; together at least 20,000 (test_fuzz_bytes.py adds them up).
BYTES = 18_300
REQUESTS = 1_000
RESOURCES = 500
OPENAPI = 240

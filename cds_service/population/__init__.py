"""Population runs: every order of a FHIR Bulk Data export, answered without a server.

An export is NDJSON by resource type, in no order that helps. `split` deals its lines out to buckets of
neighbouring patients without building a resource; `bucket` takes one bucket, one patient at a time;
`finish` puts the parts together. `run` drives this with all cores of a machine, `spark` with a
cluster; both call the same functions, so both write the same bytes.

Nothing here knows Flask or calls a network. See docs/population.md.
"""

"""The history of the tables, for Alembic. A new step is a file in versions/, named and numbered by hand."""

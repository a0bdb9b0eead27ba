"""What is compared with: the example app of extrawest-ocpi's documentation, filled in minimally.

Origin: github.com/extrawest/extrawest_ocpi, docs/source/tutorial/quickstart.rst,
db_interface_example.rst and crud_example.rst. The shape (class methods, which query is made of
which filter) is theirs; written anew here, for reading locations only. Where we helped it:
`count_documents` is awaited, and its collection has an index on `id`.
"""

TABLE = "locations_table"
"""Its collection, beside ours in the same database."""

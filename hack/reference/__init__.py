"""The reference of the custom resources, `docs/api.md`, written from the models in `tender.api`.

`fields` walks the schema that the models make and says of each field what it takes; `page` lays that out as Markdown.
`make crds` writes the page with the CRDs; a test compares the two.
"""

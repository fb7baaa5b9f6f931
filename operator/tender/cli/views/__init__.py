"""What commands print, as pure functions from objects to rows and text.

Columns are values (`table.py`), ages are counted by a time that is passed in (`ages.py`). Nothing here reads a
cluster, a clock or the terminal.
"""

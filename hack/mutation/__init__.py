"""Mutation tests of the allocator: every line is changed a little, and the unit tests have to notice.

`workspace` lays the code and its fast tests out as mutmut wants them, `score` counts what became of the mutants, and
`cli` runs one after the other.
"""

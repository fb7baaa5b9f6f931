"""Fuzzing: whatever comes from outside is read into a valid value, or refused with an error that says what is wrong.

`targets` are functions of bytes; `make fuzz` feeds them what libFuzzer thinks up (atheris), the unit tests what is
checked in under `corpus/` and what Hypothesis draws.
"""

"""Reads the pages under docs/ and runs what they show, for the tests of every tier."""

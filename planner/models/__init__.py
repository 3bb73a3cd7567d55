"""The mathematics, one model a file: the docstring and the constraints are the same inequalities, in PuLP."""

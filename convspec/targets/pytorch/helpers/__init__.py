"""Modules and functions that generated files carry with them when an op's lowering names one (`helpers.SeparableConv`).

The files are material, one a family: the printer copies a definition from its text, without importing it, so that compiling
needs no torch. Whatever stands there may use only `math`, `torch`, `nn`, `F` and its neighbours, by plain names (which are
unique in the package). Parameters are named as the op's roles are; a dotted role is a submodule's parameter.
"""

from convspec.targets.source.material import lookup

__getattr__ = lookup(__name__)

"""Layers and functions that generated files carry with them when an op's lowering names one (`helpers.BatchNorm`).

The files are material, one a family: the printer copies a definition from its text, without importing it, so that compiling
needs no Keras. Whatever stands there may use only `math`, `keras`, `layers`, `ops` and its neighbours, by plain names (which
are unique in the package), and must run on every backend of Keras.
"""

from convspec.targets.source.material import lookup

__getattr__ = lookup(__name__)

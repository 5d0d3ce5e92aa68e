"""The readable printer: walks the syntax tree of each block together with all its applications.

One class a block. Every expression of the source is printed as it stands where its values in the trace allow, in two places
at once: in `__init__`, where a tensor is stood for by its number of channels, and in `forward`.
"""

"""The readable printer: one Python function a block, loops kept as loops, from the syntax tree and the trace together.

The text of a block is written once for all its applications. At each place the trace says what happened at every moment (an
application of the block, in a turn of the loops around); an expression of the source is printed as it stands if its values
are those of the trace at every moment. What one text cannot say for all moments splits the block into variants, or unrolls
a loop. The whole file is proven against the network before it is handed out (see validate).
"""

"""Networks at the edges of what the readable walk can say, and beyond."""

from __future__ import annotations

SPECS: dict[str, str] = {}

SPECS["stage_in_stage"] = """
block Inner(x: tensor, act: stage) { return x -> conv(3,1x1) -> act }
block Outer(x: tensor, act: stage = relu) { return x -> Inner(act) -> act }
model M { input x: float32[N,4,6,6]
  output x -> a: Outer -> b: Outer(tanh) -> c: Outer(act = conv(3,1x1)) -> d: Outer(act = conv(3,1x1, bias = false)) }
"""

SPECS["swap"] = """
model M { input x: float32[N,4,6,6]
  a = x -> conv(4,1x1)
  b = x -> conv(4,3x3,pad=1)
  a, b = b, a
  output a - b }
"""

SPECS["turns"] = """
model M { input x: float32[N,4,32,32]
  for i in 0..3 {
    x = x -> "c{i}": conv(4 + i, 3x3, pad = 1)
    if i == 0 { x = x -> relu } else { x = x -> tanh -> maxpool(2) }
  }
  output x }
"""

SPECS["spatial"] = """
block SE(x: tensor) { g = x -> flatten -> linear(x.channels) 
  return g * 2 }
model M { input x: float32[N,4,8,8]
  a = x -> s1: SE
  b = x -> maxpool(2) -> s2: SE
  output a + b }
"""

SPECS["spatial_loop"] = """
model M { input x: float32[N,4,16,16]
  outs = []
  for i in 0..3 {
    x = x -> maxpool(2)
    outs = outs + [x -> "flat{i}": [flatten -> linear(3)]]
  }
  output sum(outs) }
"""

SPECS["spatial_value"] = """
block Pool(x: tensor) { return x -> avgpool([x.height, x.width]) }
model M { input x: float32[N,4,8,12]
  a = x -> p: Pool
  b = x -> maxpool(2) -> q: Pool
  output concat(a, b) -> conv(2, 1x1) }
"""

SPECS["output_if"] = """
model M(aux: bool = true) { input x: float32[N,4,8,8]
  y = x -> conv(3,1x1)
  if aux { output aux = y -> relu }
  output main = y -> tanh }
"""

SPECS["rebind"] = """
model M { input x: float32[N,4,8,8]
  y = 3
  z = x -> conv(y, 1x1)
  y = z
  w = y.channels * 2
  output y -> conv(w, 1x1) }
"""

SPECS["nested_comp"] = """
model M { input x: float32[N,4,8,8]
  grid = [[x -> conv(a * b, 1x1) for b in [1, 2]] for a in [1, 2]]
  output concat(grid[0]) -> conv(2,1x1), o = concat(grid[1]) }
"""

SPECS["zero"] = """
model M(n: int = 0) { input x: float32[N,4,8,8]
  for i in 0..n { x = x -> "c{i}": conv(3, 1x1) }
  y = x -> n * conv(5, 1x1) -> l: n * conv(5,1x1)
  output y -> conv(2, 1x1) }
"""

SPECS["labels_from_params"] = """
block B(x: tensor, name: string, n: int) { return x -> "{name}_{n}": conv(n, 1x1) -> "{name}.out": conv(2, 1x1) }
model M { input x: float32[N,4,8,8]
  output x -> a: B("p", 3) -> b: B("q", 4) }
"""

SPECS["local_let"] = """
model M(w: int = 4) { input x: float32[N,4,8,8]
  let half(v) = v // 2 + w
  let k = half(6)
  output x -> conv(half(4), 1x1) -> conv(k, 1x1) }
"""

SPECS["default_inside"] = """
block B(x: tensor, w: int) { default conv(bias = false, pad = 1)
  return x -> conv(w, 3x3) -> conv(w, 3x3) }
model M { input x: float32[N,4,8,8]  output x -> B(3) -> B(2) }
"""

SPECS["shared_block_loop"] = """
block B(x: tensor, w: int) { return x -> conv(w, 3x3, pad = 1) -> relu }
model M { input x: float32[N,4,8,8]
  layer cell = B(4)
  outs = []
  for i in 0..3 { x = x -> cell
   outs = outs + [x] }
  output concat(outs) }
"""

SPECS["if_levels"] = """
block B(x: tensor, k: int) {
  if k == 1 { y = x -> a: conv(3, 1x1) }
  else if k == 2 { y = x -> b: conv(4, 3x3) }
  else { y = x -> c: conv(5, 1x1) -> d: conv(6, 1x1) }
  return y -> e: conv(k, 1x1) }
model M { input x: float32[N,4,8,8]  output x -> m1: B(1) -> m2: B(2) -> m3: B(3) }
"""

SPECS["wrong_reuse"] = """
block B(x: tensor, w: int) {
  y = x -> conv(w, 1x1)
  z = concat(x, y)
  x = z -> conv(3, 1x1)
  y = x -> relu
  u = concat(z, y, x) -> conv(2, 1x1)
  return u, z }
model M { input x: float32[N,4,8,8]
 a, b = B(x, 5)
 c, d = B(b, 6)
 output concat(a, b, c, d) }
"""

SPECS["loop_channels"] = """
model M { input x: float32[N,4,8,8]
 y = x
 w = 2
 for i in 0..3 {
   z = concat(x, y) -> "a{i}": conv(w, 1x1)
   x = y
   y = z
   w = w + z.channels
 }
 output concat(x, y) -> f: conv(w, 1x1) }
"""

SPECS["enum_words"] = """
block B(x: tensor, mode: string, k: size) { return x -> conv(3, k, pad = mode) -> upsample(2, mode = nearest) }
model M { input x: float32[N,4,8,8] output x -> a: B(same, 3x3) -> b: B("same", [1, 3]) -> c: B(mode = same, k = 5) }
"""

SPECS["symbolic_if"] = """
block Down(x: tensor) { if x.height > 2 { x = x -> maxpool(2) } 
 return x -> conv(3, 1x1) }
model M { input x: float32[N,4,8,8] output x -> a: Down -> b: Down -> c: Down -> d: Down}
"""

SPECS["same_output_twice"] = """
model M { input x: float32[N,4,8,8]
 y = x -> relu
 output a = y, b = y, c = x }
"""

SPECS["unused"] = """
model M { input x: float32[N,4,8,8]
 dead = x -> gone: conv(3, 1x1)
 output x -> conv(2, 1x1) }
"""

SPECS["identity"] = """
block Same(x: tensor) { return x }
model M { input x: float32[N,4,8,8]
 output x -> Same -> Same }
"""

SPECS["model_args"] = """
let DEPTHS = [2, 1]
block Stage(x: tensor, rows: list, act: stage = relu) {
  for i, [w, s] in rows { x = x -> "b{i}": conv(w, 3x3, stride = s, pad = 1) -> act }
  return x }
model M(rows: list = [[4, 1], [6, 2]]) { input x: float32[N,3,8*h,8*w]
  for i, d in DEPTHS { x = x -> "s{i}": Stage(rows[0..d] + [[8, 1]]) }
  output x }
"""

SPECS["list_arguments"] = """
block Fuse(xs: list, width: int) {
    y = concat(xs) -> conv(width, 1x1)
    return [y, xs[0]]
}

model Fusing {
    input a: float32[N, 2, 5, 5]
    input b: float32[N, 3, 5, 5]
    pair = Fuse([a, b], 4)
    again = pair -> Fuse(6)
    output concat(again) -> conv(2, 1x1)
}
"""

SPECS["input_used_twice"] = """
let pad = 1
let WIDTHS = [3, 4]
let wider(w) = w + 1
model M { input x: float32[N,4,9,9]
  y = x -> conv(WIDTHS[0], 3x3) -> batchnorm -> avgpool(3x3, pad = [[0, pad], [1, 0]], count_pad = false)
  z = y -> conv(wider(3), 1x1) -> batchnorm -> avgpool(2x2, pad = [[1, 0], [0, 1]], count_pad = false)
  output z }
"""

SPECS["numbers_that_go_on"] = """
block Fire(x: tensor, squeeze: int) { return x -> squeeze: conv(squeeze, 1x1) -> relu }
model M { input x: float32[N,4,8,8]
  x = x -> "features.0": conv(4, 1x1) -> relu
  position = 2
  for widths in [[2, 3], [4], [5]] {
    x = x -> maxpool(2x2, ceil = true)
    for i, width in widths { x = x -> "features.{position + i}": Fire(width) }
    position = position + len(widths) + 1
  }
  output x }
"""

SPECS["modes_that_differ"] = """
model M { input x: float32[N,4,9,9]
  default conv(pad = same, pad_mode = replicate)
  for i, count in [3, 2] { x = x -> "conv{i + 1}": conv(count, [5, 1][i]) -> relu }
  output x }
"""

SPECS["keywords_left_out"] = """
block Separable(x: tensor, stride: int) { return x -> conv1: separable_conv(4, 3x3, stride = stride, pad = 1) -> relu }
model M { input x: float32[N,4,8,8]
  output x -> a: Separable(2) -> b: Separable(1) -> c: Separable(2) }
"""

SPECS["a_module_in_a_branch_of_a_branch"] = """
block Unit(x: tensor, stride: int, rate: float) {
  y = x -> conv(4, 3x3, stride = stride, pad = 1)
  if stride == 1 and x.channels == 4 {
    if rate > 0 { y = y -> dropout(rate) }
    y = y + x
  }
  return y }
model M { input x: float32[N,4,8,8]
  output x -> a: Unit(1, 0.0) -> b: Unit(1, 0.5) -> c: Unit(2, 0.5) }
"""

FALLBACKS: dict[str, str] = {}
"""What the readable walk has no words for: some blocks, or the whole, are written out."""

FALLBACKS["layer_arg"] = """
block Use(x: tensor, f: stage) { return x -> f -> relu }
model M { input x: float32[N,4,6,6]
  layer c = conv(4,3x3,pad=1)
  output x -> a: Use(c) -> b: Use(c) }
"""

FALLBACKS["let_tensor"] = """
let twice(x, w) = x -> conv(w, 1x1) -> relu
model M { input x: float32[N,4,8,8]
  output twice(x, 3) }
"""

FALLBACKS["fallback_block"] = """
block B(x: tensor, act: stage = relu) { layer c = [conv(4, 3x3, pad = 1) -> act]
  return x -> c -> c }
model M { input x: float32[N,4,8,8]
 y = x -> a: B -> b: B(tanh) -> c: B
 output y -> conv(2, 1x1) }
"""

FALLBACKS["mixed_precision"] = """
model Mixed {
    input x: float16[N, 2, 6, 6]
    input z: float32[N, 4]
    w = x -> conv(3, 3x3) -> cast(float32) -> conv(4, 1x1) -> flatten -> linear(4)
    output y = w + z
}
"""

FALLBACKS["low_precision_with_a_cast"] = """
model Half {
    input x: float16[N, 2, 6, 6]
    output y = x -> conv(3, 3x3) -> relu -> cast(float32)
}
"""

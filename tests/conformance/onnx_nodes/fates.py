"""What becomes of each case: it is expressed and equal, unless it is named here with the reason why it cannot be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True)
class Reason:
    """Why cases cannot be expressed.

    `refusals`: what the compiler says of the spec, as codes with words of the message. Without any, the translator tells from
    the case's attributes or the kinds of its inputs, and writes no spec.
    """

    text: str
    refusals: tuple[tuple[str, str], ...] = ()


TYPES = Reason(
    "element types that the language does not have",
    (("CNN056", "is not an element type"), ("CNN047", "`dtype` is one of")),
)
EMPTY = Reason(
    "axes without elements",
    (("CNN035", "a dimension must be at least 1, not 0"), ("CNN044", "`start` is 10, but a channels of 10 has only")),
)
AXES = Reason(
    "more than five axes, the batch among them",
    (
        ("CNN030", "`unsqueeze` takes a tensor of rank 1 to 4, not 5"),
        ("CNN030", "`permute` takes a tensor of rank 2 to 5, not 6"),
        ("CNN045", "`sizes` has 1 to 4 sizes, without the batch, not 5"),
    ),
)
STRINGS = Reason("strings")
SEQUENCES = Reason("sequences of tensors and optional values")
TRAINING = Reason("an operator that is told to train: whether a network trains is not said in it")
MASK = Reason("the mask of a dropout as a tensor")
POSITIONS = Reason("resizing that reads other positions, or weighs them in another way")

IMPOSSIBLE: Mapping[Reason, str] = {
    TYPES: """
        add_int16 add_int8 add_uint16 add_uint32 add_uint64 cast_FLOAT16_to_FLOAT4E2M1 cast_FLOAT16_to_FLOAT8E4M3FN
        cast_FLOAT16_to_FLOAT8E4M3FNUZ cast_FLOAT16_to_FLOAT8E5M2 cast_FLOAT16_to_FLOAT8E5M2FNUZ cast_FLOAT16_to_INT2
        cast_FLOAT16_to_INT4 cast_FLOAT16_to_UINT2 cast_FLOAT16_to_UINT4 cast_FLOAT4E2M1_to_FLOAT cast_FLOAT4E2M1_to_FLOAT16
        cast_FLOAT8E4M3FNUZ_to_FLOAT cast_FLOAT8E4M3FNUZ_to_FLOAT16 cast_FLOAT8E4M3FN_to_FLOAT cast_FLOAT8E4M3FN_to_FLOAT16
        cast_FLOAT8E5M2FNUZ_to_FLOAT cast_FLOAT8E5M2FNUZ_to_FLOAT16 cast_FLOAT8E5M2_to_FLOAT cast_FLOAT8E5M2_to_FLOAT16
        cast_FLOAT_to_FLOAT4E2M1 cast_FLOAT_to_FLOAT8E4M3FN cast_FLOAT_to_FLOAT8E4M3FNUZ cast_FLOAT_to_FLOAT8E5M2
        cast_FLOAT_to_FLOAT8E5M2FNUZ cast_FLOAT_to_INT2 cast_FLOAT_to_INT4 cast_FLOAT_to_UINT2 cast_FLOAT_to_UINT4
        cast_INT2_to_FLOAT cast_INT2_to_FLOAT16 cast_INT2_to_INT8 cast_INT4_to_FLOAT cast_INT4_to_FLOAT16 cast_INT4_to_INT8
        cast_UINT2_to_FLOAT cast_UINT2_to_FLOAT16 cast_UINT2_to_UINT8 cast_UINT4_to_FLOAT cast_UINT4_to_FLOAT16
        cast_UINT4_to_UINT8 cast_e8m0_FLOAT16_to_FLOAT8E8M0 cast_e8m0_FLOAT8E8M0_to_FLOAT cast_e8m0_FLOAT8E8M0_to_FLOAT16
        cast_e8m0_FLOAT_to_FLOAT8E8M0 cast_no_saturate_FLOAT16_to_FLOAT8E4M3FN cast_no_saturate_FLOAT16_to_FLOAT8E4M3FNUZ
        cast_no_saturate_FLOAT16_to_FLOAT8E5M2 cast_no_saturate_FLOAT16_to_FLOAT8E5M2FNUZ cast_no_saturate_FLOAT_to_FLOAT8E4M3FN
        cast_no_saturate_FLOAT_to_FLOAT8E4M3FNUZ cast_no_saturate_FLOAT_to_FLOAT8E5M2 cast_no_saturate_FLOAT_to_FLOAT8E5M2FNUZ
        clip_default_int8_inbounds clip_default_int8_max clip_default_int8_min div_int16 div_int8 div_uint16 div_uint32
        div_uint64 equal_int16 equal_int8 equal_uint16 equal_uint32 equal_uint64 greater_int16 greater_int8 greater_uint16
        greater_uint32 greater_uint64 greater_equal_int16 greater_equal_int8 greater_equal_uint16 greater_equal_uint32
        greater_equal_uint64 less_int16 less_int8 less_uint16 less_uint32 less_uint64 less_equal_int16 less_equal_int8
        less_equal_uint16 less_equal_uint32 less_equal_uint64 max_int16 max_int8 max_uint16 max_uint32 max_uint64 min_int16
        min_int8 min_uint16 min_uint32 min_uint64 mul_int16 mul_int8 mul_uint16 mul_uint32 mul_uint64 pow_types_float32_uint32
        pow_types_float32_uint64 sub_int16 sub_int8 sub_uint16 sub_uint32 sub_uint64
    """,
    EMPTY: """
        reduce_l1_empty_set reduce_l2_empty_set reduce_log_sum_empty_set reduce_log_sum_exp_empty_set reduce_max_empty_set
        reduce_max_empty_set_bool reduce_min_empty_set reduce_sum_empty_set reduce_sum_empty_set_non_reduced_axis_zero
        reduce_sum_square_empty_set reshape_allowzero_reordered slice_start_out_of_bounds split_zero_size_splits_opset13
        split_zero_size_splits_opset18
    """,
    AXES: """
        unsqueeze_three_axes unsqueeze_unsorted_axes PixelShuffle operator_permute2
    """,
    STRINGS: """
        equal_string equal_string_broadcast
    """,
    SEQUENCES: """
        identity_opt identity_sequence
    """,
    TRAINING: """
        batchnorm_epsilon_training_mode batchnorm_example_training_mode training_dropout training_dropout_default
        training_dropout_default_mask training_dropout_mask training_dropout_zero_ratio training_dropout_zero_ratio_mask
    """,
    MASK: """
        dropout_default_mask dropout_default_mask_ratio
    """,
    POSITIONS: """
        resize_downsample_scales_cubic resize_downsample_scales_cubic_A_n0p5_exclude_outside
        resize_downsample_scales_cubic_align_corners resize_downsample_scales_cubic_antialias resize_downsample_scales_linear
        resize_downsample_scales_linear_align_corners resize_downsample_scales_linear_antialias
        resize_downsample_scales_linear_half_pixel_symmetric resize_downsample_sizes_cubic_antialias
        resize_downsample_sizes_linear_antialias resize_downsample_sizes_linear_pytorch_half_pixel
        resize_downsample_sizes_nearest resize_downsample_sizes_nearest_not_smaller resize_tf_crop_and_resize
        resize_tf_crop_and_resize_axes_2_3 resize_tf_crop_and_resize_axes_3_2 resize_tf_crop_and_resize_extrapolation_value
        resize_upsample_scales_cubic_asymmetric resize_upsample_scales_linear_half_pixel_symmetric
        resize_upsample_sizes_nearest_ceil_half_pixel resize_upsample_sizes_nearest_floor_align_corners
        resize_upsample_sizes_nearest_round_prefer_ceil_asymmetric
    """,
}


@cache
def impossible() -> Mapping[str, Reason]:
    """The reason by the name of the case."""
    return {name: reason for reason, names in IMPOSSIBLE.items() for name in names.split()}


@cache
def listed() -> Mapping[str, tuple[str, ...]]:
    """The names of all cases by operator, or by the folder of the exported networks."""
    text = (Path(__file__).parent / "cases.txt").read_text(encoding="utf-8").replace("\n    ", " ")
    pairs = (line.split(": ") for line in text.splitlines())
    return {key: tuple(names.split()) for key, names in pairs}


ROUGH: Mapping[str, float] = {
    "averagepool_2d_ceil_last_window_starts_on_pad": 1e-4,  # input and output written with four digits each
    "operator_add_size1_broadcast": 1e-300,  # memory that nobody set: subnormal numbers, which TensorFlow takes for 0
}
"""The absolute difference that is allowed where the package's own numbers are good for no more."""

"""The effective receptive field: how much each cell of the input counts for a unit, measured by gradients."""

from convspec.field.effective import Effective, effective_field

__all__ = ["Effective", "effective_field"]

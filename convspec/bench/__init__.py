"""Measuring: statistics of side-by-side comparison, the roofline of a device, and `convspec bench` on top of them."""

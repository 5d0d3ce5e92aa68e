"""Seeded initial weights, the safetensors store, and what belongs to which label."""

"""The version of this compiler, as provenance in compiled models and weight files tells it."""

VERSION = "0.1.0"

"""Messages to the user: what they are made of, their codes, and how they are shown."""

from convspec.diagnostics.model import Diagnostic, Failure, Fix, Guess, Label, error, fail

__all__ = ["Diagnostic", "Failure", "Fix", "Guess", "Label", "error", "fail"]

"""Layers that are used again. Material: see the package's docstring."""

# mypy: disable-error-code="misc, no-untyped-def, no-untyped-call"


class Reuse:
    """Gives the first layer of each name again, so that a block that is applied twice shares its weights."""

    def __init__(self):
        self.layers = {}

    def __call__(self, layer):
        return self.layers.setdefault(layer.name, layer)

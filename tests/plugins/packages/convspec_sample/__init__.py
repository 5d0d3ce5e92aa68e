"""What somebody else's package may bring: a layer and a target."""

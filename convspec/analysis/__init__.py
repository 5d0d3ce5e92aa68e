"""What can be said of a network without running it: cost, memory, receptive field, budgets."""

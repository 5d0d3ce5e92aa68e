"""What the two source targets share: quoting, expressions, line breaking, and the walk from the trace to Python."""

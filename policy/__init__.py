"""May we? Pure rules that take facts and return a verdict with its reason."""

"""Where the weights of a model lie while it is fitted, and who takes the steps."""

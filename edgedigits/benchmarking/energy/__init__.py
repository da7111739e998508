"""Energy of an inference: the meters of a machine, and the measurement with one of them."""

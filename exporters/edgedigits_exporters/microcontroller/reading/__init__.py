"""From the operators of a `.tflite` file to those of the graph: one module per operator."""

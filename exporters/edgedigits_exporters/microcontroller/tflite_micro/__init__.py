"""Export to a C array for TensorFlow Lite Micro."""

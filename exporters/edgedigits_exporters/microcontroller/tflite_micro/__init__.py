"""The other way to a microcontroller: the `.tflite` as an array, for TensorFlow Lite Micro."""

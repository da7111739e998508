"""Formats for microcontrollers, made of an int8 `.tflite` file: standalone C, and an array for TensorFlow Lite Micro.

The data's way: flatbuffer (reading/) -> graph -> layers/ -> planning/ -> writing/ -> a folder.
"""

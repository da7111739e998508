"""Formats for microcontrollers, made of an int8 `.tflite` file: standalone C, and an array for TensorFlow Lite Micro.

Data flow: parsing -> graph -> planning, which lowers operators to layers -> writing -> a folder.
"""

"""Drawing: what was read, as pictures that people look at. Pillow alone, its built-in font included."""

"""The finder: a network that says where digits stand in a scene, trained on drawn scenes."""

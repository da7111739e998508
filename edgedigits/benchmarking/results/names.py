"""What things are called where a person reads of them."""

_ENGINES = {"litert": "LiteRT", "onnxruntime": "ONNX Runtime", "keras": "Keras", "c": "C"}


def engine_title(engine: str) -> str:
    """Return what an engine's makers call it."""
    return _ENGINES.get(engine, engine)

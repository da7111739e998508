"""The page without a server: one folder with the network, the reader and the page, for any host or for the disk."""

WEB_ENGINES = {
    "wasm": "edgedigits_exporters.web.wasm_engine",
    "onnxruntime-web": "edgedigits_exporters.web.onnxruntime_engine",
}
"""What runs the network in the page: modules with SUFFIX, the model file they take, and parts(model, options)."""

"""The server of `edgedigits serve`: a page and an HTTP API.

`server` listens, `protocol` implements HTTP with timeouts, `guard` checks hosts and tokens, `app` has the routes,
`service` answers them, and `batching` reads pictures together that arrive together.
"""

"""The server of `edgedigits serve`: a page and an HTTP API.

`server` listens, `protocol` speaks HTTP with deadlines, `guard` checks hosts and tokens, `app` has the routes,
`service` answers them, and `batching` reads pictures together that arrive together.
"""

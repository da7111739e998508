"""The page's server: `edgedigits serve`.

`server` listens and ends, `app` has the routes, `guard` keeps the door, `lanes` reads what arrives together.
FastAPI and uvicorn come with the [serve] extra; `options`, `problems` and `lanes` do without.
"""

"""Ray Serve warns when it is imported, of pydantic's and of its own."""

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import ray.serve  # noqa: F401

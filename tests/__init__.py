import os

# Before hypothesis is imported. With pydantic's plugin it registers a strategy for each
# constrained type: for each bounded parameter, each time an app is built. No test draws from them.
os.environ["HYPOTHESIS_NO_PLUGINS"] = "1"

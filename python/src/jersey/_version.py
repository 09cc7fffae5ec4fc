"""The version of this package, which is the program's."""

from importlib import metadata

try:
    __version__ = metadata.version("jersey-reader")
except metadata.PackageNotFoundError:  # used from the sources
    __version__ = "unknown"

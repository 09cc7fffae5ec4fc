"""Configuration for TrackLab, which finds it through the entry point `tracklab_plugin`."""


class ConfigFinder:
    """Tells TrackLab where the configuration of `jersey.tracklab` lies."""

    config_package = "pkg://jersey.configs"

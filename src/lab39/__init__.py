"""Lab39: an open e-health laboratory. One record goes in, findings come out, and every finding can say why."""

__version__ = "0.1.0"

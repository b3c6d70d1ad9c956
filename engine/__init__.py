"""Cases that move through declared states. Knows no web framework, no template and no workflow by
name."""

VERSION = "0.1.0"

"""Cases that move through declared states, without web framework, template or workflow name."""

VERSION = "0.1.0"

"""How fast the product is, each figure beside a plain reference measured in the same run."""

"""A simulation without books: a bundle's oracle is what it comes to when nothing goes wrong."""

"""The shop's till, oracle and books: what anybody could write for a bundle of their own."""

"""The documentation site, by ``make docs``: this repository's pages and one for each loss."""

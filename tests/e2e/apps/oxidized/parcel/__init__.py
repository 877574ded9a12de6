"""A package with a resource."""

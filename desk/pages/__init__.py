"""One module a page; each holds a table of routes with the permission that each of them asks for."""

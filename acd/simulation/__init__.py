"""A day of the centre in milliseconds: the production floor on a model of the switch, with given callers."""

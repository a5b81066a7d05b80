"""The parts that papers are made of: each a table, chart or text from one period; the profile lists them by name."""

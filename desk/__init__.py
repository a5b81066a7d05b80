"""The desk: what operators, supervisors and city staff have on their screens, and the same as an API."""

"""Facts that one context publishes and others may read; one module a publisher."""

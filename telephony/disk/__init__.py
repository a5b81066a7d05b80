"""What Asterisk writes to disk: the record (docs/adr/0003-disk-logs-are-the-record.md)."""

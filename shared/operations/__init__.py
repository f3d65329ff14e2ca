"""What operators do with users, clients and keys: functions over ports."""

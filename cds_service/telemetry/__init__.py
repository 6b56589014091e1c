"""What operators see of the service: log lines, metrics and traces, none of which hold patient data."""

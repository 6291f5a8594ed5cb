"""From Kafka to a command: poll, decode, queue by key, commit what is done."""

"""What is written to Kafka, and by whom: one idempotent producer, in batches of our own."""

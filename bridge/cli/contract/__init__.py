"""The contract as documents for others, derived from the tables."""

"""Dead letters: records that cannot be carried out, kept with their reason."""

"""The public contract: every topic, command and event, as data and as pydantic models.

Needs pydantic and the standard library only, so that producers and consumers can import it; where there are keys for
payloads, `cryptography` too.
"""

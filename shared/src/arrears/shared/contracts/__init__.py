"""The types and fields of each service's events that other services may rely on.

Adding an optional field is safe. Anything else is a new type with a new wire name. Decoding
ignores fields that are not named here, so an owner's event may carry more.
"""

"""What ties the domain to its ports: handlers, reactions, publication."""

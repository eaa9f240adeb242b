"""What the five services share: the kernel of facts and decisions, and no business rule."""

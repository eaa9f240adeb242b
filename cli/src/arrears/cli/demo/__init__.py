"""`arrears demo`: a portfolio's whole life through the real services, shown while it happens."""

"""The command line of Arrears.

It reaches the services by their entry points and their HTTP APIs and imports none of them, so that
it works the same beside a service on this machine and one in a container.
"""

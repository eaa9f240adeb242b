"""The aiokafka adapter behind the bus port."""

"""`make bench`: speed as ratios beside a raw pipe, in one run on one Kafka and PostgreSQL."""

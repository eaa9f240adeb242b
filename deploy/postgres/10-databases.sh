#!/bin/bash
# Runs once, when the server's volume is new: a database and a role for each service, and no way into another's.
set -euo pipefail
for service in intake contact mediation legal history; do
  psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
    --set service="$service" <<'SQL'
\getenv password SERVICE_PASSWORD
CREATE ROLE :"service" LOGIN PASSWORD :'password';
CREATE DATABASE :"service" OWNER :"service";
REVOKE CONNECT ON DATABASE :"service" FROM PUBLIC;
SQL
done

"""Production as docker-compose.yml says it, without Docker."""

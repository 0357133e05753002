"""What every test may use: keys, a database, a Redis of the run's own."""

import os

# Before Django reads its settings. A run may name its own services; see docs/testing in README.
os.environ.setdefault("DEBUG", "on")
os.environ.setdefault("SECRET_KEY", "test-secret-key-" + "s" * 40)
os.environ.setdefault("JWT_SECRET_KEY", "test-jwt-key-" + "j" * 40)
os.environ.setdefault("EMAIL_HASH_KEY", "test-email-key-" + "e" * 40)

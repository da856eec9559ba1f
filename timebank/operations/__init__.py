"""What runs the service: migrations, the bundled server, the worker, the login that it serves with."""

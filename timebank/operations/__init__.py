"""What runs the service: bundled server, worker, installation, logs. A worker's jobs are in the manifests."""

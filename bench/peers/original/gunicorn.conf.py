"""Settings that the five worker models have in common."""

import os

if os.environ.get("PEER_GEVENT"):
    # Before anything else is imported: what took a socket or a lock earlier would block all questions.
    from gevent import monkey

    monkey.patch_all()

chdir = os.path.dirname(os.path.abspath(__file__))
pythonpath = os.path.dirname(chdir)
timeout = 120
graceful_timeout = 1
backlog = 4096
worker_connections = 4096
loglevel = "warning"

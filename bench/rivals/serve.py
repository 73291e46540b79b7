"""Runs one of the applications beside: uvicorn with uvloop and httptools, one worker, no access log; says its port as JSON."""
import importlib
import json
import os
import socket
import sys

import uvicorn

listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", 0))
app = importlib.import_module(sys.argv[1]).app
config = uvicorn.Config(app, loop="uvloop", http="httptools", workers=1, access_log=False, log_level="warning", backlog=1024)
listener.listen(1024)
host, port = listener.getsockname()
print(json.dumps({"pid": os.getpid(), "thrift": {"host": host, "port": port}}), flush=True)
uvicorn.Server(config).run(sockets=[listener])

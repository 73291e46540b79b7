"""The same without a framework: a bare ASGI route."""
import os

import numpy as np

from session import session

feed = session.get_inputs()[0]
shape = [-1, *feed.shape[1:]]
output = os.environ["OUTPUT"]


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    rows = np.frombuffer(body, dtype=np.float32).reshape(shape)
    (answer,) = session.run([output], {feed.name: rows})
    data = answer.tobytes()
    headers = [(b"content-type", b"application/octet-stream"), (b"content-length", str(len(data)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": data})

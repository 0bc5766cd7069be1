"""Embeds a file of rows as one run with Python's standard library, then finds the row nearest to a question.

    python3 examples/python_client.py [URL of the producer] [question]
"""

import json
import os
import sys
import time
import urllib.request
from array import array
from base64 import b64decode
from pathlib import Path
from urllib.parse import urlsplit

URL = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8080"
QUESTION = sys.argv[2] if len(sys.argv) > 2 else "How do I get my money back?"
KEY = os.environ.get("EMBEDMILL_API_KEY")
IS_LOCAL = urlsplit(URL).hostname in ("localhost", "127.0.0.1", "::1")
# HTTP_PROXY does not apply to this machine, which no proxy can reach.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({} if IS_LOCAL else None))


def call(method, path, body=None, content_type="application/json"):
    """Sends one request; returns the body of the response. An HTTP error raises urllib.error.HTTPError."""
    headers = {"Content-Type": content_type} | ({"Authorization": f"Bearer {KEY}"} if KEY else {})
    request = urllib.request.Request(URL + path, body, headers, method=method)
    with OPENER.open(request, timeout=60) as response:
        return response.read()


def floats(base64):
    """Decodes little-endian float32 values."""
    values = array("f", b64decode(base64))
    if sys.byteorder == "big":
        values.byteswap()
    return values


run = json.loads(call("POST", "/v1/runs", b'{"name": "articles"}'))["id"]
rows = Path(__file__).with_name("articles.jsonl").read_bytes()
call("POST", f"/v1/runs/{run}/rows?part=0", rows, "application/x-ndjson")
call("POST", f"/v1/runs/{run}/seal")
while (info := json.loads(call("GET", f"/v1/runs/{run}")))["state"] == "sealed":
    time.sleep(0.2)
print(f"{info['state']}: {info['verdicts']['ok']} vectors")

body = json.dumps({"texts": [QUESTION], "encoding": "base64"}).encode()
asked = floats(json.loads(call("POST", "/v1/embed", body))["vectors"][0])
results = call("GET", f"/v1/runs/{run}/results?format=jsonl&encoding=base64")
found = [json.loads(line) for line in results.splitlines()]
# Vectors have length 1, so that the dot product is the cosine similarity.
best = max(found, key=lambda row: sum(a * b for a, b in zip(floats(row["vector"]), asked)))
print(f'nearest to "{QUESTION}": {best["id"]}')
call("DELETE", f"/v1/runs/{run}")

"""A llama-server on a free port of this machine, for the programs that measure beside it."""
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request


class LlamaServer:
    """Started and ready when made; `with` ends it. `arguments` are llama-server's own."""

    def __init__(self, folder, model, *arguments):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process = subprocess.Popen(
            [f"{folder}/llama-server", "-m", model, "--port", str(self.port), *map(str, arguments)],
            env=dict(os.environ, LD_LIBRARY_PATH=folder), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(600):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=1) as answer:
                    if answer.status == 200:
                        return
            except OSError:
                time.sleep(0.1)
        self.close()
        sys.exit("llama-server did not start")

    def complete(self, body):
        """The open answer to a request for a completion."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/completion", json.dumps(body).encode(),
                                         {"Content-Type": "application/json"})
        return urllib.request.urlopen(request, timeout=3600)

    def close(self):
        self.process.terminate()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

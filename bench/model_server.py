"""A server on a free port of this machine, ergo's or llama.cpp's, for the programs that measure both."""
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request


class ModelServer:
    """Started and ready when made; `with` ends it. `command` is asked for a port by `--port`."""

    def __init__(self, command, env=None):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process = subprocess.Popen([*map(str, command), "--port", str(self.port)], env=env,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(1200):
            if self.process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=1) as answer:
                    if answer.status == 200:
                        return
            except OSError:
                pass
            time.sleep(0.1)
        self.close()
        sys.exit(f"{command[0]} did not start")

    def complete(self, body):
        """The open answer to llama.cpp's own kind of request for a completion."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/completion", json.dumps(body).encode(),
                                         {"Content-Type": "application/json"})
        return urllib.request.urlopen(request, timeout=3600)

    def rss(self):
        """Resident bytes."""
        with open(f"/proc/{self.process.pid}/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def cpu_seconds(self):
        with open(f"/proc/{self.process.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class LlamaServer(ModelServer):
    """`arguments` are llama-server's own."""

    def __init__(self, folder, model, *arguments):
        super().__init__([f"{folder}/llama-server", "-m", model, *arguments],
                         dict(os.environ, LD_LIBRARY_PATH=folder))


class ErgoServer(ModelServer):
    """`arguments` are those of `ergo serve`."""

    def __init__(self, build, model, *arguments):
        super().__init__([f"{build}/ergo", "serve", "-m", model, *arguments])

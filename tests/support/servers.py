"""A server in a process of its own, with a certificate of its own authority."""

from __future__ import annotations

import http.client
import json
import os
import signal
import ssl
import subprocess
import sys
from pathlib import Path

import trustme

from tensorspin.server.tokens import add_token

ROOT = Path(__file__).parents[2]
STOP_SECONDS = 60


class Certificates:
    """Files of an authority and of a server that it has signed."""

    def __init__(self, folder, *names):
        self.authority = trustme.CA()
        issued = self.authority.issue_cert(*(names or ("localhost", "127.0.0.1")))
        self.trusted, self.certificate = folder / "ca.pem", folder / "cert.pem"
        self.key = folder / "key.pem"
        self.authority.cert_pem.write_to_path(self.trusted)
        issued.cert_chain_pems[0].write_to_path(self.certificate)
        issued.private_key_pem.write_to_path(self.key)
        self.key.chmod(0o600)


class RunningServer:
    """A command of `tensorspin` that serves, in a process of its own."""

    def __init__(self, folder, command, *options, clear=False):
        self.folder = folder
        self.command = command
        self.certificates = Certificates(folder)
        self.token_file = folder / "tokens"
        self.token, _ = add_token(self.token_file, "test", None)
        self.options = list(options)
        if not clear:
            files = ("--cert", self.certificates.certificate, "--key", self.certificates.key)
            self.options += [*map(str, files), "--token-file", str(self.token_file)]
        self.port = 0
        self.log = folder / "log"
        self.start()

    def start(self):
        """Start the process (again, at the same port)."""
        command = [sys.executable, "-m", "tensorspin.cli.main", "--json", self.command]
        paths = [str(ROOT / "sw"), str(ROOT / "hw"), str(ROOT)]
        self.errors = open(self.log, "ab")
        self.process = subprocess.Popen(
            [*command, "--port", str(self.port), *self.options],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
        )
        line = self.process.stdout.readline()
        if not line.startswith('{"command"') or "url" not in line:
            raise AssertionError(line + self.log.read_text())
        self.url = json.loads(line)["url"]
        self.port = int(self.url.rpartition(":")[2])

    def stop(self, number=signal.SIGTERM):
        """Stop the process, and give its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(number)
        try:
            return self.process.wait(STOP_SECONDS)
        finally:
            self.process.kill()
            self.process.stdout.close()
            self.errors.close()

    def ask(self, method, path, body=None, token=None, **headers):
        """One request without a library of ours: status, headers, JSON or text."""
        trusted = ssl.create_default_context(cafile=self.certificates.trusted)
        host = f"127.0.0.1:{self.port}"
        secure = self.url.startswith("https")
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = kind(host, timeout=60, **({"context": trusted} if secure else {}))
        said = {"Authorization": f"Bearer {self.token if token is None else token}"}
        if isinstance(body, dict):
            body, said["Content-Type"] = json.dumps(body), "application/json"
        said |= {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request(method, path, body, {k: v for k, v in said.items() if v})
            answer = connection.getresponse()
            content = answer.read().decode()
        finally:
            connection.close()
        if answer.headers.get("Content-Type", "").startswith("application/json"):
            content = json.loads(content)
        return answer.status, answer.headers, content

    def metric(self, name):
        """A metric's value; 0 if it has none yet."""
        _, _, text = self.ask("GET", "/metrics")
        values = [line.rpartition(" ")[2] for line in text.splitlines() if line.startswith(name)]
        return sum(map(float, values))


class RunningBoards(RunningServer):
    """``tensorspin serve`` in a process of its own."""

    def __init__(self, folder, *options, boards=("golden://icebreaker",), clear=False):
        given = [word for board in boards for word in ("--board", board)]
        super().__init__(folder, "serve", *given, *options, clear=clear)

    def arguments(self, **others):
        """Arguments of a client."""
        return {"token": self.token, "certificate": self.certificates.trusted, **others}

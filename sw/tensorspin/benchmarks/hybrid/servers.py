"""A real appliance: another process, a certificate of an authority of its own, a token."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO, Any, Self

from ...errors import TensorspinError
from ...hybrid import ApplianceSampler
from ...server.tokens import add_token

SAMPLER = "tensorspin.benchmarks.hybrid.samplers:heron"
"""What the appliance runs circuits on."""

_STOP_SECONDS = 30.0


class Certificates:
    """Files of an authority and of a server that it has signed.

    Parameters
    ----------
    folder : Path
        Where the files are written.

    Attributes
    ----------
    trusted, certificate, key : Path
        The authority's certificate, the server's, and its private key.
    """

    def __init__(self, folder: Path) -> None:
        import trustme

        authority = trustme.CA()
        issued = authority.issue_cert("localhost", "127.0.0.1")
        folder.mkdir(parents=True, exist_ok=True)
        self.trusted, self.certificate = folder / "ca.pem", folder / "cert.pem"
        self.key = folder / "key.pem"
        authority.cert_pem.write_to_path(self.trusted)
        issued.cert_chain_pems[0].write_to_path(self.certificate)
        self.key.touch(0o600)
        issued.private_key_pem.write_to_path(self.key)


class Appliance:
    """``tensorspin appliance`` in a process of its own, on loopback; a context manager.

    Parameters
    ----------
    folder : Path
        Where its files are written.
    sampler : str
        What it runs circuits on.

    Attributes
    ----------
    certificates : Certificates
        Its certificate.
    token : str
        A token that it takes.
    port : int
        Its port, which stays the same when it is started again.
    """

    def __init__(self, folder: Path, sampler: str = SAMPLER) -> None:
        self.certificates = Certificates(folder)
        self._tokens = folder / "tokens"
        self.token, _ = add_token(self._tokens, "benchmark", None)
        self._sampler = sampler
        self._log = folder / "appliance.log"
        self.port = 0
        self._process: subprocess.Popen | None = None
        self._errors: IO[bytes] | None = None

    def start(self) -> None:
        """Start it, again at the same port, and wait until it listens.

        Raises
        ------
        TensorspinError
            If it does not start.
        """
        files = self.certificates
        options = {"--cert": files.certificate, "--key": files.key, "--token-file": self._tokens}
        words = [word for name, path in options.items() for word in (name, str(path))]
        command = [sys.executable, "-m", "tensorspin.cli.main", "--json", "appliance", *words]
        command += ["--sampler", self._sampler, "--port", str(self.port)]
        # The process finds this package as this one did, wherever that is.
        path = os.pathsep.join([str(Path(__file__).parents[3]), os.environ.get("PYTHONPATH", "")])
        self._errors = open(self._log, "ab")
        self._process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env={**os.environ, "PYTHONPATH": path},
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        try:
            self.port = int(json.loads(line)["url"].rpartition(":")[2])
        except (ValueError, KeyError):
            self.kill()
            raise TensorspinError(f"the appliance did not start: {self._log.read_text()}") from None

    def pause(self) -> None:
        """Stop the process where it is; its connections stay open."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let the process continue."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """End the process at once."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait(_STOP_SECONDS)
            assert process.stdout is not None
            process.stdout.close()
        if self._errors is not None:
            self._errors.close()

    def client(self, port: int | None = None, **arguments: Any) -> ApplianceSampler:
        """Make a client.

        Parameters
        ----------
        port : int, optional
            Port of what stands in front of the appliance.
        **arguments
            Arguments of `ApplianceSampler` in place of the right ones.

        Returns
        -------
        ApplianceSampler
            The client.
        """
        right = {"token": self.token, "certificate": self.certificates.trusted}
        url = arguments.pop("url", f"https://127.0.0.1:{port or self.port}")
        return ApplianceSampler(url, **{**right, **arguments})

    def _signal(self, number: int) -> None:
        if self._process is not None:
            self._process.send_signal(number)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.go_on()
        self.kill()

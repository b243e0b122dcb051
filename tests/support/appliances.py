"""An appliance in a process of its own, with a certificate of its own authority."""

from __future__ import annotations

from .servers import Certificates, RunningServer

__all__ = ["Certificates", "RunningAppliance"]


class RunningAppliance(RunningServer):
    """``tensorspin appliance`` in a process of its own."""

    def __init__(self, folder, *options, sampler="tests.support.samplers:Echo", clear=False):
        super().__init__(folder, "appliance", "--sampler", sampler, *options, clear=clear)

    def arguments(self, **others):
        """Arguments of a client."""
        said = {"token": self.token, "certificate": self.certificates.trusted, "timeout": 60.0}
        return {**said, **others}

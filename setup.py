"""How the training kernel is compiled, and where a wheel has the drivers for microcontrollers.

Everything else stands in pyproject.toml.

The kernel is optional. Without a C compiler, or if it fails, everything else is installed, and
training takes place in NumPy. A wheel made like this runs anywhere, and its name says so.
"""

import shutil
import sysconfig
from glob import glob
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py

SOURCE = "sw/tensorspin/models/kernel/source"

CLIENTS = ("c", "micropython")
"""Folders of sw/clients, drivers that `tensorspin export --with-driver` writes."""

# One file serves all versions of Python from 3.11. Interpreters without the global lock have no
# such stable interface yet.
STABLE = not sysconfig.get_config_var("Py_GIL_DISABLED")


class BuildPackages(build_py):
    """Copies the packages, and the drivers for microcontrollers as data of tensorspin.export."""

    def run(self):
        """Copy them; an editable installation finds them in the checkout."""
        super().run()
        if self.editable_mode:
            return
        target = Path(self.build_lib) / "tensorspin" / "export" / "clients"
        shutil.rmtree(target, ignore_errors=True)  # of an earlier run
        for name in CLIENTS:
            shutil.copytree(
                Path("sw/clients") / name,
                target / name,
                ignore=shutil.ignore_patterns("__pycache__"),
            )


class BuildKernel(build_ext):
    """Compiles the kernel, or does without."""

    def build_extensions(self):
        """Choose what the compiler at hand understands, whatever Python was compiled with."""
        for extension in self.extensions:
            if self.compiler.compiler_type == "msvc":
                extension.extra_compile_args = ["/O2", "/fp:contract"]
            else:
                extension.extra_compile_args = [
                    "-O3",
                    "-std=gnu99",
                    "-ffp-contract=fast",  # products and sums in one instruction
                    "-fno-math-errno",  # vectors of square roots
                ]
        super().build_extensions()

    def run(self):
        """Compile; if nothing comes of it, have the wheel named as one without compiled parts."""
        for extension in self.extensions:
            # What an earlier run made must not pass for the result of this one.
            Path(self.get_ext_fullpath(extension.name)).unlink(missing_ok=True)
        super().run()
        if not any(Path(self.get_ext_fullpath(one.name)).exists() for one in self.extensions):
            self.distribution.ext_modules = None
            wheel = self.distribution.get_command_obj("bdist_wheel", create=False)
            if wheel is not None:
                wheel.root_is_pure, wheel.py_limited_api = True, False


setup(
    cmdclass={"build_py": BuildPackages, "build_ext": BuildKernel},
    ext_modules=[
        Extension(
            "tensorspin.models.kernel._compiled",
            sorted(glob(f"{SOURCE}/*.c")),
            depends=sorted(glob(f"{SOURCE}/*.h")),
            py_limited_api=STABLE,
            optional=True,
        )
    ],
    options={"bdist_wheel": {"py_limited_api": "cp311"}} if STABLE else {},
)

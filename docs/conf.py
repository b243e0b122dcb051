"""Settings of the documentation site: ``make docs`` builds it into build/docs.

The site's pages are the documents of this folder, which a code host shows as they are, the
docstrings, and some documents from elsewhere in the checkout (`extensions/checkout.py`). Nothing
is fetched while it is built, and nothing from elsewhere is loaded by its pages.
"""

import os
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

DOCS = Path(__file__).parent
ROOT = DOCS.parent
SOURCES = [str(ROOT / "sw"), str(ROOT / "hw"), str(ROOT)]
sys.path[:0] = [*SOURCES, str(DOCS / "extensions")]

# The tutorials run in processes of their own, with one thread each, so that results do not depend
# on the number of cores.
os.environ["PYTHONPATH"] = os.pathsep.join(SOURCES)
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
# What a user has set up for IPython does not count, and its kernels need not warn of their sockets.
profile = ROOT / "build" / "ipython" / "profile_default"
profile.mkdir(parents=True, exist_ok=True)
(profile / "ipython_kernel_config.py").write_text("get_config().IPKernelApp.log_level = 'ERROR'\n")
os.environ["IPYTHONDIR"] = str(profile.parent)

project = "Tensorspin"
author = "Tensorspin developers"
copyright = author  # no licence has been chosen yet
version = release = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "myst_nb",
    "sphinx_design",
    "sphinx_copybutton",
    "api",
    "checkout",
    "links",
]
exclude_patterns = ["extensions", "_templates", "**.ipynb_checkpoints"]
suppress_warnings = ["mystnb.unknown_mime_type"]  # widgets of progress bars, which have a text, too

# Markdown
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 6  # the anchors that code hosts make

# Tutorials. A notebook (.ipynb) comes with stored outputs, for where an extra is missing.
NEEDS = {
    "tutorials/quantum_processor.ipynb": ("qiskit",),
    "tutorials/microcontroller.ipynb": ("unicorn", "ziglang"),
}
nb_execution_mode = "force"
nb_execution_excludepatterns = [
    page for page, modules in NEEDS.items() if not all(map(find_spec, modules))
]
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_merge_streams = True
nb_output_stderr = "remove"  # progress, and warnings with paths of this machine

# Docstrings
default_role = "py:obj"
autodoc_typehints = "none"  # numpydoc's sections say more
autodoc_member_order = "bysource"
autosummary_generate = True
numpydoc_show_class_members = False  # the template of classes lists them
numpydoc_xref_param_type = False

# Appearance
html_theme = "pydata_sphinx_theme"
html_title = "Tensorspin"
html_static_path = ["_static"]
html_css_files = ["site.css"]
templates_path = ["_templates"]
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "logo": {"text": "Tensorspin"},
    "navbar_align": "left",
    "header_links_before_dropdown": 6,
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
html_sidebars = {"index": []}

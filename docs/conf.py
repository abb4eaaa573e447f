"""How the documentation is built: ``sphinx-build -W --keep-going docs docs/_build``."""

import os
import re
import sys
import warnings
from pathlib import Path

# Before anything loads matplotlib or TensorFlow, here and in processes of the examples.
os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

sys.path.insert(0, str(Path(__file__).parent))  # for gallery.py

from docutils import nodes

import skmnist

project = "skmnist"
author = "the skmnist developers"
copyright = f"{author}. BSD-3-Clause licence"
version = release = skmnist.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "myst_parser",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "Thumbs.db", ".DS_Store"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
default_role = "autolink"
smartquotes = False
toc_object_entries_show_parents = "hide"
python_use_unqualified_type_names = True

# -- Docstrings

autosummary_generate = True
autodoc_typehints = "none"
numpydoc_show_class_members = False  # the page of a class lists them itself
numpydoc_class_members_toctree = False

# -- Pages in Markdown

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

# -- Gallery: every script is run

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"\.py$",
    "within_subsection_order": "gallery.reading_order",
    "image_scrapers": ("matplotlib", "gallery.scrape_diagrams"),
    "capture_repr": (),
    "abort_on_example_error": True,
    "doc_module": ("skmnist",),
    "backreferences_dir": "generated/backreferences",
    "show_signature": False,
    "show_memory": False,
    "download_all_examples": False,
    "remove_config_comments": True,
    "default_thumb_file": str(Path(__file__).parent / "_static/favicon.svg"),
}

# -- References

nitpicky = True
# Names of other packages; nothing is fetched to find out where they are described.
OTHERS = "keras|joblib|json|matplotlib|numpy|pandas|pathlib|pickle|scikeras|scipy"
nitpick_ignore_regex = [
    ("py:.*", rf"({OTHERS})(\..*)?"),
    ("py:.*", r"sklearn\.base\..*"),
]


# Labels in docstrings that are inherited from scikit-learn.
SCIKIT_LEARN_LABELS = {
    "accuracy_score": "modules/model_evaluation.html#accuracy-score",
    "df_output_transform": "modules/df_output_transform.html",
    "metadata_routing": "metadata_routing.html",
    "sphx_glr_auto_examples_miscellaneous_plot_set_output.py": (
        "auto_examples/miscellaneous/plot_set_output.html"
    ),
}


def link_to_scikit_learn(app, env, node, contnode):
    """Link names of scikit-learn to its pages, whose addresses follow a pattern."""
    target = node.get("reftarget", "")
    if node.get("refdomain") == "std" and target in SCIKIT_LEARN_LABELS:
        uri = f"https://scikit-learn.org/stable/{SCIKIT_LEARN_LABELS[target]}"
    elif re.match(r"sklearn\.[a-z_.]+\.\w+$", target):
        uri = f"https://scikit-learn.org/stable/modules/generated/{target}.html"
    else:
        return None
    reference = nodes.reference("", "", internal=False, refuri=uri)
    reference += contnode
    return reference


# -- Look

html_theme = "pydata_sphinx_theme"
html_title = "skmnist"
html_context = {"default_mode": "auto"}  # light or dark, as the reader's system is
html_static_path = ["_static"]
html_css_files = ["skmnist.css"]
html_favicon = "_static/favicon.svg"
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "logo": {
        "text": "skmnist",
        "image_light": "_static/favicon.svg",
        "image_dark": "_static/favicon.svg",
    },
    "show_prev_next": True,
    "navbar_align": "left",
    "header_links_before_dropdown": 6,
    "navbar_end": ["theme-switcher"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc", "sg_download_links"],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
# No navigation beside pages that have no pages below them, as those of the API have.
html_sidebars = {
    page: []
    for page in [
        "auto_examples/tour",
        *(p.stem for p in Path(__file__).parent.glob("*.md")),
    ]
    if page != "api"
}


def setup(app):
    """Connect what this file adds to the build."""
    warnings.filterwarnings("ignore", message="__array__ implementation")
    app.connect("missing-reference", link_to_scikit_learn)

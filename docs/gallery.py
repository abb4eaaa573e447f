"""How Sphinx-Gallery sorts the examples, and shows diagrams of networks."""

from sphinx_gallery.scrapers import figure_rst

from skmnist.plotting import NetworkDiagram

# The order in which the examples are best read.
ORDER = [
    "tour",
    "first_pipeline",
    "looking_at_data",
    "own_handwriting",
    "grid_search",
    "optuna_search",
    "networks_and_baselines",
    "label_errors",
    "early_stopping",
    "penalties_and_optimizers",
    "own_network",
    "transfer_learning",
    "inside_a_cnn",
    "saving_and_loading",
    "dask_cluster",
    "plain_scikeras",
]


def reading_order(filename):
    """Tell the place of an example, by the name of its file."""
    return ORDER.index(filename.removesuffix(".py"))


_shown = []


def scrape_diagrams(block, block_vars, gallery_conf):
    """Save the new network diagrams of an example, and refer to them in its page."""
    pictures = []
    for value in block_vars["example_globals"].values():
        if isinstance(value, NetworkDiagram) and not any(
            value is diagram for diagram in _shown
        ):
            _shown.append(value)
            path = next(block_vars["image_path_iterator"]).replace(".png", ".svg")
            value.save(path)
            layers = "; ".join(layer.summary for layer in value.layers)
            title = f"Diagram of the network: {layers}"
            pictures.append(figure_rst([path], gallery_conf["src_dir"], title))
    return "\n".join(pictures)

"""Profile: where the time of training goes, by TensorFlow's profiler."""

import tempfile
import time
from collections import Counter
from pathlib import Path

from benchmarks.comparisons import Comparison, Contestant, Measure
from benchmarks.data import load, pixels
from benchmarks.peers import (
    Recipe,
    contestant,
    import_peer,
    layout,
    make_classifier,
    precision_note,
)

__all__ = [
    "NEEDS_MNIST",
    "check_complete",
    "comparisons",
    "kind_of",
    "measure",
    "overlapped",
]

NEEDS_MNIST = True

_N_IMAGES = 20_000
_PER_IMAGE = {
    "total": "total",
    "multiply": "multiply, convolve",
    "optimize": "optimizer",
    "random": "dropout",
    "data": "batches",
    "other": "other kernels",
    "between": "between kernels",
}
_MEASURES = (
    Measure("first_s", "first fit of one batch", "s", has_ratio=False),
    Measure("next_s", "next one", "s", has_ratio=False),
    *(
        Measure(f"{name}_us", label, "µs", has_ratio=False)
        for name, label in _PER_IMAGE.items()
    ),
)
# Operations that only run others, which are counted by themselves.
_CALLS = ("While", "If", "Case", "PartitionedCall", "StatefulPartitionedCall")
# What fetches rows. Casts are not among it: most of them are of weights.
_DATA = ("Gather", "Iterator", "Slice", "StridedSlice")
_BATCH_SIZE = 128


def comparisons(quick):
    """Return what is compared."""
    contestants = (
        contestant("skmnist"),
        Contestant(
            "skmnist, Keras’ loop", {"peer": "skmnist"}, (), {"SKMNIST_KERAS_LOOP": "1"}
        ),
        contestant("keras"),
    )
    return [
        Comparison(
            "profile",
            f"{name}, {'1,400 digits' if quick else '20,000 images of MNIST'}",
            "The first fit of one batch builds and traces the network; a next one of "
            "the same network shows what can be kept. Then the time of an image in "
            "the second epoch, in batches of 128, and the sums of the times of its "
            "kernels, which run beside one another on some cores; “between kernels” "
            "is the time in which none runs: Python, and waiting. "
            f"{precision_note(network)}",
            {"network": network, "dataset": "digits" if quick else "mnist"},
            contestants,
            _MEASURES,
            n_runs=3,
        )
        for network, name in (("mlp", "mlp_512"), ("cnn", "cnn_32_64"))
    ]


def measure(peer, dataset, network, seed):
    """Train under the profiler; return seconds, and microseconds for an image."""
    recipe = Recipe(network, 1, seed)
    X, y, _, _ = load(dataset)
    X, y = pixels(X[:_N_IMAGES], layout(peer, recipe)), y[:_N_IMAGES]
    import_peer(peer)
    times = []
    for _ in range(2):
        start = time.perf_counter()
        make_classifier(peer, recipe).fit(X[:_BATCH_SIZE], y[:_BATCH_SIZE])
        times.append(time.perf_counter() - start)
    with tempfile.TemporaryDirectory() as folder:
        duration = _profile(peer, Recipe(network, 2, seed), X, y, folder)
        kernels = _kernels(folder)
    check_complete([name for name, _, _ in kernels], -(-len(X) // _BATCH_SIZE))
    spent = Counter()
    for name, start, end in kernels:
        spent[kind_of(name)] += end - start
    covered = overlapped((start, end) for _, start, end in kernels)
    spent.update(total=duration, between=max(0.0, duration - covered))
    return {
        "first_s": times[0],
        "next_s": times[1],
        **{f"{name}_us": 1e6 * spent[name] / len(X) for name in _PER_IMAGE},
    }


def _profile(peer, recipe, X, y, folder):
    """Profile the second of two epochs into a folder; return its seconds."""
    from tensorflow.profiler import experimental as profiler

    options = profiler.ProfilerOptions(
        host_tracer_level=2, python_tracer_level=0, device_tracer_level=0
    )
    ends = []

    def on_epoch_end():
        ends.append(time.perf_counter())
        if len(ends) == 1:
            profiler.start(folder, options=options)
            ends[0] = time.perf_counter()
        else:
            profiler.stop()

    make_classifier(peer, recipe, on_epoch_end).fit(X, y)
    first, second = ends
    return second - first


def _kernels(folder):
    """Return name, start and end in seconds of the kernels that a profile lists."""
    from tensorflow.tsl.profiler.protobuf.xplane_pb2 import XSpace

    [file] = Path(folder).rglob("*.xplane.pb")
    kernels = []
    for plane in XSpace.FromString(file.read_bytes()).planes:
        names = {key: value.name for key, value in plane.event_metadata.items()}
        for line in plane.lines:
            for event in line.events:
                name = names[event.metadata_id]
                operation = name.rpartition(":")[2]
                if "/" not in name or "::" in name or operation in _CALLS:
                    continue  # no kernel, or one that runs others
                start = line.timestamp_ns / 1e9 + event.offset_ps / 1e12
                kernels.append((name, start, start + event.duration_ps / 1e12))
    return kernels


def kind_of(kernel):
    """Tell what a kernel is for.

    Parameters
    ----------
    kernel : str
        Place and operation, such as "while/body/hidden/MatMul:MatMul".

    Returns
    -------
    str
        A key of the parts of the time of an image.
    """
    place, _, operation = kernel.rpartition(":")
    if operation.startswith("ResourceApply") or "adam" in place.lower():
        return "optimize"
    if "dropout" in place or "Random" in operation:
        return "random"
    if "MatMul" in operation or "Conv2D" in operation:
        return "multiply"
    if operation.startswith(_DATA) or "Iterator" in operation:
        return "data"
    return "other"


def check_complete(kernels, n_steps):
    """Refuse a profile that lacks kernels, as those of long runs sometimes do.

    Parameters
    ----------
    kernels : list of str
        What ran, as for :func:`kind_of`.
    n_steps : int
        Number of batches that were trained on, each with all multiplications.

    Raises
    ------
    RuntimeError
        If a multiplication was not seen in each step.
    """
    seen = Counter(name for name in kernels if kind_of(name) == "multiply")
    if set(seen.values()) != {n_steps}:
        least, most = min(seen.values(), default=0), max(seen.values(), default=0)
        raise RuntimeError(
            f"The profiler saw multiplications {least} to {most} times in {n_steps} "
            "steps: its times are not those of all kernels."
        )


def overlapped(spans):
    """Return how long at least one of some spans of time lasts.

    Parameters
    ----------
    spans : iterable of (float, float)
        Start and end of each.

    Returns
    -------
    float
        Time that lies in one span or more.
    """
    covered, reached = 0.0, float("-inf")
    for start, end in sorted(spans):
        covered += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return covered

"""Networks of this package in ONNX Runtime.

Sessions compute in the calling thread, so the outputs of a row do not depend on other
rows, to the bit. Blocks of many rows are computed by the threads of the process, so any
number of sessions share the available cores.
"""

import functools
import os
from collections import deque
from concurrent.futures import ThreadPoolExecutor, as_completed
from math import prod

import joblib
import numpy as np

import skmnist
from skmnist._interrupts import uninterrupted

__all__ = ["NetworkSession"]

# Per block: enough work for a thread, and few enough outputs of the largest layer to
# stay in its cache, which are those of 14 images with cnn_32_64.
_MAX_ROWS = 256
_MAX_BYTES = 2**21
# ONNX Runtime computes some activations for so many numbers at once, and those that are
# left over at the end by another function, which rounds otherwise.
_LANES = 4


class NetworkSession:
    """A trained network of planned layers that is ready to predict."""

    gives_logits = True

    def __init__(self, input_shape, plan, weights):
        with uninterrupted():
            import onnxruntime
            from onnx import TensorProto

            from skmnist._inference.graph import BoundGraph, add_network

        largest, shape = 1, tuple(input_shape)
        self._multiple = 1
        for layer in plan:
            shape = layer.output_shape(shape)
            largest = max(largest, prod(shape))
            activation = getattr(layer, "activation", None)
            if activation not in (None, "relu") and prod(shape) % _LANES:
                self._multiple = _LANES
        self._block_size = min(max(_MAX_BYTES // (4 * largest), 1), _MAX_ROWS)
        self._n_classes = plan[-1].units
        graph = BoundGraph()
        weights = [np.asarray(array, np.float32) for array in weights]
        logits = add_network(graph, "pixels", input_shape, plan, weights)
        model = graph.model(
            {"pixels": (TensorProto.FLOAT, input_shape)},
            {"logits": (logits, TensorProto.FLOAT, (self._n_classes,))},
            skmnist.__version__,
        )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3  # errors, which raise an exception as well
        self._arrays = graph.arrays  # the session does not keep them alive
        bound = map(onnxruntime.OrtValue.ortvalue_from_numpy, graph.arrays.values())
        options.add_external_initializers(list(graph.arrays), list(bound))
        self._session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )

    def run(self, inputs):
        """Compute the logits of inputs in float32 or uint8, in float32."""
        n_rows, size = len(inputs), self._block_size
        if 0 < n_rows <= size:
            return self._run_block(inputs)
        outputs = np.empty((n_rows, self._n_classes), np.float32)
        starts = iter(range(0, n_rows, size))  # shared by the threads

        def work():
            for start in starts:
                block = slice(start, start + size)
                outputs[block] = self._run_block(inputs[block])

        threads, n_threads = _threads(os.getpid())
        try:
            tasks = [threads.submit(work) for _ in range(n_threads)]
        except RuntimeError:  # the interpreter is shutting down, without threads
            work()
            return outputs
        try:
            for task in as_completed(tasks):
                task.result()
        finally:
            deque(starts, maxlen=0)  # nothing is left to do after an error or Ctrl-C
        return outputs

    def _run_block(self, block):
        n_rows = len(block)
        block = np.ascontiguousarray(block, np.float32)
        if n_missing := -n_rows % self._multiple:
            padding = np.zeros((n_missing, *block.shape[1:]), np.float32)
            block = np.concatenate([block, padding])
        return self._session.run(None, {"pixels": block})[0][:n_rows]


@functools.cache
def _threads(process):
    """Return the threads of a process and their number; each fork starts its own."""
    n_threads = joblib.cpu_count()
    # Workers of joblib and Dask get their number of cores here.
    allotted = os.environ.get("OMP_NUM_THREADS", "")
    if allotted.isdecimal():
        n_threads = max(min(n_threads, int(allotted)), 1)
    threads = ThreadPoolExecutor(n_threads, thread_name_prefix="skmnist-predict")
    return threads, n_threads

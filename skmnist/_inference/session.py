"""Networks of this package in ONNX Runtime.

A session computes in the thread that calls it, so a row comes out as the same bits
alone and among others. Many rows are split into blocks, which the threads of the
process share: any number of sessions, used at the same time, keep the allotted cores
busy and no more.
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

# Rows of a block: enough work to be worth a thread, few enough that what the largest
# layer makes of them stays in its cache. That are 14 images with cnn_32_64.
_MAX_ROWS = 256
_MAX_BYTES = 2**21


class NetworkSession:
    """A trained network of planned layers that is ready to predict.

    `weights` are kernel and biases of each layer that has them.
    """

    gives_logits = True

    def __init__(self, input_shape, plan, weights):
        with uninterrupted():
            import onnxruntime
            from onnx import TensorProto

            from skmnist._inference.graph import BoundGraph, add_network

        largest, shape = 1, tuple(input_shape)
        for layer in plan:
            shape = layer.output_shape(shape)
            largest = max(largest, prod(shape))
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
        starts = iter(range(0, n_rows, size))  # which the threads take in turn

        def work():
            for start in starts:
                block = slice(start, start + size)
                outputs[block] = self._run_block(inputs[block])

        threads, n_threads = _threads(os.getpid())
        try:
            tasks = [threads.submit(work) for _ in range(n_threads)]
        except RuntimeError:  # the interpreter is about to end: no threads any more
            work()
            return outputs
        try:
            for task in as_completed(tasks):
                task.result()
        finally:
            deque(starts, maxlen=0)  # an error and Ctrl-C leave nothing to do
        return outputs

    def _run_block(self, block):
        block = np.ascontiguousarray(block, np.float32)
        return self._session.run(None, {"pixels": block})[0]


@functools.cache
def _threads(process):
    """Return the threads of a process and their number; a fork starts its own."""
    n_threads = joblib.cpu_count()
    # joblib and Dask tell workers here how many of the cores are theirs.
    allotted = os.environ.get("OMP_NUM_THREADS", "")
    if allotted.isdecimal():
        n_threads = max(min(n_threads, int(allotted)), 1)
    threads = ThreadPoolExecutor(n_threads, thread_name_prefix="skmnist-predict")
    return threads, n_threads

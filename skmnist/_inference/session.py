"""Networks of this package in ONNX Runtime.

A session computes in the thread that calls it, so a row comes out as the same bits
alone and among others. Many rows are split into blocks, which the threads of the
process share: any number of sessions, used at the same time, keep the allotted cores
busy and no more.
"""

import functools
import os
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np

import skmnist
from skmnist._interrupts import uninterrupted
from skmnist.networks._layers import Convolution

__all__ = ["NetworkSession"]

# Rows of a block: enough work to be worth a thread, few enough to stay in its cache.
_N_ROWS = 256
_N_IMAGES = 16  # with convolutions


class NetworkSession:
    """A trained network that is ready to predict.

    Parameters
    ----------
    input_shape : tuple of int
        ``(height, width, channels)`` or ``(n_features,)``.
    plan : list
        Layers of :mod:`skmnist.networks._layers`.
    weights : list of ndarray
        Kernel and biases of each layer that has them.
    """

    gives_logits = True

    def __init__(self, input_shape, plan, weights):
        with uninterrupted():
            import onnxruntime
            from onnx import TensorProto

            from skmnist._inference.graph import BoundGraph, add_network

        has_convolutions = any(isinstance(layer, Convolution) for layer in plan)
        self._block_size = _N_IMAGES if has_convolutions else _N_ROWS
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
        """Compute the logits.

        Parameters
        ----------
        inputs : ndarray of shape (n_samples, *input_shape), dtype float32 or uint8
            The input of the network.

        Returns
        -------
        ndarray of shape (n_samples, n_classes), dtype float32
            Logits.
        """
        size = self._block_size
        if len(inputs) <= size:
            return self._run_block(inputs)
        blocks = [inputs[start : start + size] for start in range(0, len(inputs), size)]
        threads = _threads(os.getpid())
        run_all = map if threads is None else threads.map
        return np.concatenate(list(run_all(self._run_block, blocks)))

    def _run_block(self, block):
        if len(block) == 0:
            return np.empty((0, self._n_classes), np.float32)
        block = np.ascontiguousarray(block, np.float32)
        return self._session.run(None, {"pixels": block})[0]


@functools.cache
def _threads(process):
    """Return the threads of a process, or None if it was allotted a single core.

    A forked process has none of its parent's, so it starts its own.
    """
    n_threads = joblib.cpu_count()
    # joblib and Dask tell workers here how many of the cores are theirs.
    allotted = os.environ.get("OMP_NUM_THREADS", "")
    if allotted.isdecimal():
        n_threads = min(n_threads, int(allotted))
    if n_threads <= 1:
        return None
    return ThreadPoolExecutor(n_threads, thread_name_prefix="skmnist-predict")

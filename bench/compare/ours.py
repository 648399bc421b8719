"""Our library in a Python process: ours.cpp, built as a release is, and called through its C interface."""

import ctypes
import pathlib
import subprocess
import weakref
from typing import Callable, Tuple

import numpy as np

from model import Model

FLAGS = "-std=c++20 -O3 -DNDEBUG -march=native -ffp-contract=off -fno-math-errno -fopenmp -shared -fPIC".split()


def build(folder: pathlib.Path) -> ctypes.CDLL:
    here = pathlib.Path(__file__).resolve().parent
    output = folder / "ours.so"
    subprocess.run(["c++", *FLAGS, f"-I{here.parent.parent / 'include'}", here / "ours.cpp", "-o", output], check=True)
    library = ctypes.CDLL(str(output))
    library.ndt_create.restype = library.ndt_training_create.restype = ctypes.c_void_p
    return library


def pointer(array: np.ndarray) -> ctypes.c_void_p:
    return array.ctypes.data_as(ctypes.c_void_p)


def forward(library: ctypes.CDLL, shape: str, model: Model, counts: np.ndarray,
            threads: int) -> Callable[[], np.ndarray]:
    """A call of our model of that shape, with PyTorch's weights, on counts (trials, bins, neurons)."""
    handle = ctypes.c_void_p(library.ndt_create(shape.encode()))
    for name, tensor in model.reference_names().items():
        values = np.ascontiguousarray(tensor.detach().numpy())
        library.ndt_tensor(handle, name.encode(), pointer(values), ctypes.c_size_t(values.size))
    if library.ndt_bind(handle) != 0:
        raise SystemExit(f"{shape}: the weights do not fit our model")
    log_rates = np.empty(counts.shape, np.float32)
    arguments = (handle, pointer(log_rates), pointer(counts), ctypes.c_size_t(len(counts)), ctypes.c_size_t(threads))

    def call() -> np.ndarray:
        library.ndt_forward(*arguments)
        return log_rates

    weakref.finalize(call, library.ndt_destroy, handle)
    return call


class Training:
    """Our trainer on its own data, as train_step of the benchmarks has it."""

    def __init__(self, library: ctypes.CDLL, shape: str, batch: int, threads: int, dropout: bool) -> None:
        self.library = library
        self.handle = ctypes.c_void_p(library.ndt_training_create(shape.encode(), ctypes.c_size_t(batch),
                                                                  ctypes.c_size_t(threads), ctypes.c_int(dropout)))
        weakref.finalize(self, library.ndt_training_destroy, self.handle)

    def give_weights(self, model: Model) -> None:
        """Copies our first weights into PyTorch's model."""
        for name, tensor in model.reference_names().items():
            values = tensor.numpy()  # shares memory with the tensor
            if self.library.ndt_training_tensor(self.handle, name.encode(), pointer(values),
                                                ctypes.c_size_t(values.size)) != 0:
                raise SystemExit(f"our trainer has no tensor {name} of {values.size} elements")

    def next_batch(self, trials: int, bins: int, neurons: int) -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What the next step will see: masked inputs, targets, and 1 for each element that is in the loss."""
        inputs = np.empty((trials, bins, neurons), np.int32)
        targets, selected = np.empty(inputs.shape, np.float32), np.empty(inputs.shape, np.float32)
        self.library.ndt_training_batch(self.handle, pointer(inputs), pointer(targets), pointer(selected))
        return inputs, targets, selected

    def step(self) -> Tuple[float, float]:
        """The loss of the batch and the norm of its gradient before clipping; the weights are those after it."""
        loss, norm = ctypes.c_double(), ctypes.c_double()
        self.library.ndt_training_step(self.handle, ctypes.byref(loss), ctypes.byref(norm))
        return loss.value, norm.value

"""The engines that the forward pass is timed beside: an adapter each, which prepares all that it may before the clock.

Every adapter computes in float32, on as many threads as it is told, from int32 counts and for one fixed shape, with the
weights known as constants where the engine can use that.
"""

import dataclasses
import functools
import importlib.util
import pathlib
import warnings
from typing import Callable, List

import numpy as np
import torch

from model import Model

Call = Callable[[], object]  # runs a batch; its result becomes the log rates (trials, bins, neurons) by np.asarray


@dataclasses.dataclass
class Case:
    """What is computed: a model in inference on counts (trials, bins, neurons)."""

    model: Model
    counts: np.ndarray
    threads: int
    folder: pathlib.Path  # for files that an engine reads

    @functools.cached_property
    def inputs(self) -> torch.Tensor:
        return torch.from_numpy(self.counts)

    @functools.cached_property
    def onnx_file(self) -> str:
        """The exporter by tracing: the newer one by torch.export takes ten seconds and gives no faster graph."""
        path = str(self.folder / "model.onnx")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            torch.onnx.export(self.model, (self.inputs,), path, dynamo=False, input_names=["counts"],
                              output_names=["log_rates"])
        return path


def eager(case: Case) -> Call:
    """PyTorch as most people call it. Its matrix products are told to be float32 when the program starts."""
    return lambda: case.model(case.inputs)


def traced(case: Case) -> Call:
    """TorchScript, frozen and optimised for inference."""
    program = torch.jit.optimize_for_inference(torch.jit.trace(case.model, case.inputs))
    return lambda: program(case.inputs)


def compiled(case: Case) -> Call:
    """torch.compile with its default backend, inductor, and frozen weights, which lets it repack them."""
    torch.compiler.reset()  # else the eighth shape would be one recompilation too many
    program = torch.compile(case.model, fullgraph=True, dynamic=False, options={"freezing": True})
    return lambda: program(case.inputs)


def onnx_runtime(case: Case) -> Call:
    """The CPU provider, which computes a float32 graph in float32; its one shortcut, on Arm, is switched off.

    Inputs and outputs are bound to our memory. Its threads may spin while a batch runs, as by default, and stop when it
    is done: the next engine has the core to itself.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = case.threads, 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.add_session_config_entry("session.force_spinning_stop", "1")
    options.add_session_config_entry("mlas.enable_gemm_fastmath_arm64_bfloat16", "0")
    session = onnxruntime.InferenceSession(case.onnx_file, options, providers=["CPUExecutionProvider"])
    log_rates = np.empty(case.counts.shape, np.float32)
    binding = session.io_binding()
    binding.bind_input("counts", "cpu", 0, np.int32, case.counts.shape, case.counts.ctypes.data)
    binding.bind_output("log_rates", "cpu", 0, np.float32, log_rates.shape, log_rates.ctypes.data)

    def call() -> np.ndarray:
        session.run_with_iobinding(binding)
        return log_rates

    return call


def openvino(case: Case) -> Call:
    """One stream for latency. Left to itself the CPU plugin computes in bfloat16 where the processor can.

    Threads are not bound to cores, as nobody else's are; the tensors share our memory.
    """
    import openvino as ov

    core = ov.Core()
    program = core.compile_model(core.read_model(case.onnx_file), "CPU", {
        "INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": case.threads, "NUM_STREAMS": 1,
        "PERFORMANCE_HINT": "LATENCY", "ENABLE_CPU_PINNING": False})
    if program.get_property("INFERENCE_PRECISION_HINT") != ov.Type.f32:
        raise SystemExit("OpenVINO did not take float32")
    log_rates = np.empty(case.counts.shape, np.float32)
    request = program.create_infer_request()
    request.set_input_tensor(ov.Tensor(case.counts, shared_memory=True))
    request.set_output_tensor(ov.Tensor(log_rates, shared_memory=True))

    def call() -> np.ndarray:
        request.infer()
        return log_rates

    return call


@dataclasses.dataclass(frozen=True)
class Peer:
    name: str  # on the command line and in the file of results
    label: str
    package: str
    prepare: Callable[[Case], Call]
    needs: str = ""  # packages to install besides, by name

    def installed(self) -> bool:
        return all(importlib.util.find_spec(package) for package in (self.package, *self.needs.split()))


PEERS: List[Peer] = [
    Peer("eager", "PyTorch eager", "torch", eager),
    Peer("traced", "PyTorch traced", "torch", traced),
    Peer("compile", "torch.compile", "torch", compiled),
    Peer("onnxruntime", "ONNX Runtime", "onnxruntime", onnx_runtime, needs="onnx"),
    Peer("openvino", "OpenVINO", "openvino", openvino, needs="onnx"),
]

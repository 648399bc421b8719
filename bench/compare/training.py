"""The step of training in PyTorch: masking, dropout, Poisson loss, backward, clipping and AdamW, as our trainer has it.

Settings are those of bench/training.hpp. Random numbers differ, so a step cannot be compared as it is timed; `check`
compares steps without dropout, on batches that our trainer drew.
"""

from typing import Callable, Dict, Tuple

import torch
from torch import Tensor
from torch.nn import functional

import ours
from model import Model

MASK_RATIO, LEARNING_RATE, MAX_NORM, SPIKE_CHANCE = 0.2, 1e-4, 200.0, 0.1
CHECKED_STEPS, TOLERANCE = 3, 1e-4


def masked_loss(model: Model, counts: Tensor, targets: Tensor, selected: Tensor) -> Tensor:
    """The mean Poisson loss of the selected elements, without the factorial."""
    losses = functional.poisson_nll_loss(model(counts), targets, log_input=True, full=False, reduction="none")
    return (losses * selected).sum() / selected.sum()


def loss_of_new_mask(model: Model, counts: Tensor, targets: Tensor) -> Tensor:
    """Hides bins of each trial at random, and asks for them. All hidden counts become 0, so none is drawn at random."""
    hidden = torch.rand(counts.shape[0], counts.shape[1], 1) < MASK_RATIO
    return masked_loss(model, counts.masked_fill(hidden, 0), targets, hidden.expand_as(counts).float())


def as_written(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    return function


def compiled(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """With eager's random numbers: inductor's own for CPUs took four times as long to compile, and a step longer."""
    torch.compiler.reset()  # else the eighth shape would be one recompilation too many
    return torch.compile(function, fullgraph=True, dynamic=False, options={"fallback_random": True})


# By the names of peers: how each runs a function, forward and backward. AdamW is PyTorch's fused one for both.
MODES: Dict[str, Callable[[Callable[..., Tensor]], Callable[..., Tensor]]] = {"eager": as_written, "compile": compiled}


class TorchTraining:
    """A model with our trainer's first weights, and its optimiser."""

    def __init__(self, shape: str, first: ours.Training, loss: Callable[..., Tensor], dropout: bool) -> None:
        self.model = Model(shape)
        first.give_weights(self.model)
        self.model.train(dropout)
        self.loss = loss
        self.parameters = list(self.model.parameters())
        self.optimizer = torch.optim.AdamW(self.parameters, lr=LEARNING_RATE, weight_decay=0.0, fused=True)

    def step(self, *batch: Tensor) -> Tuple[Tensor, Tensor]:
        """The loss and the norm of its gradient before clipping."""
        self.optimizer.zero_grad()
        loss = self.loss(self.model, *batch)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.parameters, MAX_NORM)
        self.optimizer.step()
        return loss.detach(), norm


def check(name: str, create_ours: Callable[[bool], ours.Training], shape: str, size: Tuple[int, int, int]) -> None:
    """Refuses unless loss and gradient norm are ours over some steps: so forward, backward and AdamW are the same."""
    our_training = create_ours(False)
    training = TorchTraining(shape, our_training, MODES[name](masked_loss), dropout=False)
    for step in range(1, CHECKED_STEPS + 1):
        batch = [torch.from_numpy(array) for array in our_training.next_batch(*size)]
        for what, theirs, expected in zip(("loss", "gradient norm"), training.step(*batch), our_training.step()):
            error = abs(float(theirs) / expected - 1)
            if not error <= TOLERANCE:
                raise SystemExit(f"{shape}, step {step} of training: {what} of {name} differs from ours by {error}")


def prepare(name: str, create_ours: Callable[[bool], ours.Training], shape: str,
            size: Tuple[int, int, int]) -> Callable[[], object]:
    """The step that is timed, with dropout, on a batch with a spike in every tenth bin."""
    check(name, create_ours, shape, size)
    counts = (torch.rand(size) < SPIKE_CHANCE).int()
    targets = counts.float()
    training = TorchTraining(shape, create_ours(True), MODES[name](loss_of_new_mask), dropout=True)
    return lambda: training.step(counts, targets)

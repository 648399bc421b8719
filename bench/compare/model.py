"""The Neural Data Transformer in PyTorch, written for speed: what the peers run, convert or compile."""

from typing import Dict

import torch
from torch import Tensor, nn
from torch.nn import functional

SHAPES = {  # bins, neurons, layers, embed_dim: as in bench/shapes.hpp
    "maze700": (70, 202, 6, 0),
    "mc_maze": (180, 182, 4, 0),
    "chaotic": (100, 50, 6, 2),
    "lorenz": (50, 29, 6, 2),
    "fig5": (5, 50, 6, 2),
}
FEED_FORWARD, HEADS, TABLE_ROWS = 128, 2, 8
DROPOUT, DROPOUT_EMBEDDING, DROPOUT_RATES = 0.1, 0.2, 0.2  # while training: as in bench/training.hpp


class Layer(nn.Module):
    """A pre-norm encoder layer over [B,T,D], with PyTorch's fused attention."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.in_proj, self.out_proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.linear1, self.linear2 = nn.Linear(width, FEED_FORWARD), nn.Linear(FEED_FORWARD, width)

    def drop(self, x: Tensor) -> Tensor:
        return functional.dropout(x, DROPOUT, self.training)

    def forward(self, x: Tensor) -> Tensor:
        batch, bins, width = x.shape
        projected = self.in_proj(self.norm1(x)).view(batch, bins, 3, HEADS, width // HEADS).transpose(1, 3)
        q, k, v = projected.unbind(2)  # each [B,H,T,d]
        context = functional.scaled_dot_product_attention(q, k, v, dropout_p=DROPOUT if self.training else 0.0)
        x = x + self.drop(self.out_proj(context.transpose(1, 2).reshape(batch, bins, width)))
        return x + self.drop(self.linear2(self.drop(functional.relu(self.linear1(self.norm2(x))))))


class Model(nn.Module):
    """The model at full context: counts [B,T,N] to log rates [B,T,N]."""

    def __init__(self, shape: str) -> None:
        super().__init__()
        bins, neurons, layers, embed_dim = SHAPES[shape]
        width = neurons * max(embed_dim, 1)
        self.embedder = nn.Embedding(TABLE_ROWS, embed_dim) if embed_dim else None
        self.positions = nn.Parameter(torch.randn(bins, width))
        self.layers = nn.ModuleList(Layer(width) for _ in range(layers))
        self.norm, self.decoder = nn.LayerNorm(width), nn.Linear(width, neurons)
        self.scale = width**0.5

    def forward(self, counts: Tensor) -> Tensor:
        x = self.embedder(counts).flatten(-2) if self.embedder is not None else counts.float()
        x = functional.dropout(x * self.scale + self.positions, DROPOUT_EMBEDDING, self.training)
        for layer in self.layers:
            x = layer(x)
        return self.decoder(functional.dropout(self.norm(x), DROPOUT_RATES, self.training))

    def reference_names(self) -> Dict[str, Tensor]:
        """The weights, not copied, under our library's names for them: those of the reference's state_dict."""
        tensors = {}
        for name, tensor in self.state_dict().items():
            name = "transformer_encoder." + name if name.startswith(("layers.", "norm.")) else name
            name = name.replace(".in_proj.", ".self_attn.in_proj_").replace(".out_proj.", ".self_attn.out_proj.")
            name = name.replace("embedder.", "embedder.0.").replace("decoder.", "decoder.0.")
            tensors[name.replace("positions", "pos_encoder.pos_embedding.weight")] = tensor
        return tensors

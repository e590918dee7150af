"""The encoder's attention to its own memory."""

from __future__ import annotations

from torch import Tensor, nn

from softalign.models.dropout import Dropout


class SelfAttention(nn.Module):
    """m' = LayerNorm(m + dropout(MultiHead(m, m, m))), the sublayer of Vaswani et al. 2017, section 3.1, on top of a
    recurrent encoder: each token's vector also draws on those of the tokens that resemble it, however far away.

    Notation: B batch, S source length, M memory size. `heads` must divide M.
    """

    def __init__(self, memory_size: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(memory_size, heads, batch_first=True)
        self.dropout = Dropout(dropout)
        self.norm = nn.LayerNorm(memory_size)

    def forward(self, memory: Tensor, mask: Tensor) -> Tensor:
        """m' (B, S, M) of m (B, S, M), with zeros on padding; `mask` (B, S) is True on tokens."""
        attended, _ = self.attention(memory, memory, memory, key_padding_mask=~mask, need_weights=False)
        return self.norm(memory + self.dropout(attended)).masked_fill(~mask.unsqueeze(2), 0.0)

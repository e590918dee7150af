"""The encoder against torch's packed sequences, and reading from the end."""

import pytest
import torch
from cell_equations import layer_normalised_step
from small_models import CELLS, FEWER_MODELS, batch_of, row_of, small_model
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

LENGTHS = [(6, 1), (3, 1), (1, 1)]


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("bidirectional", [True, False])
def test_memory_and_final_state_are_those_of_packed_sequences(cell, layers, bidirectional):
    encoder = small_model("vanilla", cell, layers=layers, bidirectional=bidirectional).encoder
    batch = batch_of(*LENGTHS)
    network = {"elman": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}[cell]
    theirs = network(4, 3 if bidirectional else 6, layers, batch_first=True, bidirectional=bidirectional).double()
    with torch.no_grad():
        for depth, layer in enumerate(encoder.layers):
            for kernel, suffix in ((layer.left_to_right, ""), (layer.right_to_left, "_reverse")):
                for name, parameter in kernel.named_parameters() if kernel is not None else ():
                    getattr(theirs, name.replace("l0", f"l{depth}") + suffix).copy_(parameter)
    packed = pack_padded_sequence(encoder.embedding(batch.source), batch.source_lengths, batch_first=True)
    outputs, final = theirs(packed)
    memory, _ = pad_packed_sequence(outputs, batch_first=True)
    hidden = final[0] if cell == "lstm" else final  # (layers * directions, B, M / directions)
    encoded = encoder(batch.source, batch.source_lengths)
    assert torch.allclose(encoded.memory, memory)
    assert torch.allclose(encoded.final, hidden.view(layers, -1, *hidden.shape[1:]).transpose(1, 2).flatten(2))


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("bidirectional", [True, False])
def test_layer_normalised_memory_and_final_state_are_those_of_their_equations(cell, activation, bidirectional):
    encoder = small_model(
        "vanilla", cell, layers=2, bidirectional=bidirectional, activation=activation, layer_norm=True
    ).encoder
    for parameter in encoder.parameters():
        nn.init.normal_(parameter, std=0.5)
    batch = batch_of(*LENGTHS)
    encoded = encoder(batch.source, batch.source_lengths)
    for row, length in enumerate(batch.source_lengths.tolist()):
        outputs = list(encoder.embedding(batch.source[row, :length]))
        for depth, layer in enumerate(encoder.layers):
            kernels = [layer.left_to_right, layer.right_to_left][: 2 if bidirectional else 1]
            directions, finals = [], []
            for backwards, (kernel, transition) in enumerate(zip(kernels, layer.transitions, strict=True)):
                hidden = memory = torch.zeros(kernel.hidden_size).double()
                states = []
                for x in reversed(outputs) if backwards else outputs:
                    parts = kernel.weight_ih_l0 @ x, kernel.weight_hh_l0 @ hidden
                    hidden, memory = layer_normalised_step(transition, *parts, hidden, memory)
                    states.append(hidden)
                finals.append(hidden)
                directions.append(states[::-1] if backwards else states)
            outputs = [torch.cat(both) for both in zip(*directions, strict=True)]
            assert torch.allclose(encoded.final[depth, row], torch.cat(finals))
        assert torch.allclose(encoded.memory[row, :length], torch.stack(outputs))


@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("layer_norm", [True, False])
@pytest.mark.parametrize("cell", CELLS)
def test_what_runs_off_a_cpu_gives_the_same(cell, layer_norm, bidirectional, monkeypatch):
    """torch's kernels there, but not for layer-normalised cells, which they do not know."""
    options = {"layers": 2, "layer_norm": layer_norm, "bidirectional": bidirectional}
    model, batch = small_model("vanilla", cell, **options), batch_of(*LENGTHS)

    def outcome() -> list[torch.Tensor]:
        encoded = model.encode(batch.source, batch.source_lengths)
        features, _ = model.decoder.unroll(model.decoder.embed(batch.target_in), encoded)
        return [encoded.memory, encoded.final, features]

    expected = outcome()
    monkeypatch.setattr(torch.Tensor, "is_cpu", property(lambda tensor: False))
    torch.testing.assert_close(outcome(), expected)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize(("fusion", "cell", "options"), [model for model in FEWER_MODELS if model[2]])
def test_a_gpu_gives_the_same_loss_and_gradients(fusion, cell, options):
    model, batch = small_model(fusion, cell, layers=2, **options), batch_of((6, 3), (3, 5), (1, 0))
    outcomes = []
    for device in ("cpu", "cuda"):
        loss = model.to(device).loss(batch.to(device)).objective
        gradients = torch.autograd.grad(loss, list(model.parameters()))
        outcomes.append([loss.cpu(), *(gradient.cpu() for gradient in gradients)])
    torch.testing.assert_close(*outcomes)


@pytest.mark.parametrize("options", [{}, {"layer_norm": True}, {"self_attention": True, "heads": 2}])
@pytest.mark.parametrize("reverse_source", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_a_row_is_encoded_as_if_it_were_alone(cell, reverse_source, options):
    model = small_model("bahdanau", cell, layers=2, reverse_source=reverse_source, **options)
    batch = batch_of(*LENGTHS)
    together = model.encode(batch.source, batch.source_lengths)
    for row, length in enumerate(batch.source_lengths):
        one = row_of(batch, row)
        alone = model.encode(one.source, one.source_lengths)
        assert torch.allclose(together.memory[row, :length], alone.memory[0])
        assert torch.allclose(together.final[:, row], alone.final[:, 0])
        assert not together.memory[row, length:].any()
        assert torch.equal(together.mask[row], torch.arange(batch.source.size(1)) < length)


@pytest.mark.parametrize("bidirectional", [True, False])
def test_a_reversed_source_is_read_from_its_end_and_remembered_in_its_own_order(bidirectional):
    onward = small_model("vanilla", bidirectional=bidirectional)
    reverse = small_model("vanilla", bidirectional=bidirectional, reverse_source=True)
    reverse.load_state_dict(onward.state_dict())
    batch = batch_of((5, 1))
    turned = onward.encode(batch.source.flip(1), batch.source_lengths)
    encoded = reverse.encode(batch.source, batch.source_lengths)
    assert torch.equal(encoded.source, batch.source)
    assert torch.allclose(encoded.memory, turned.memory.flip(1))
    assert torch.allclose(encoded.final, turned.final)


def test_lengths_need_not_be_sorted():
    model, batch = small_model("bahdanau"), batch_of(*LENGTHS)
    order = torch.tensor([1, 2, 0])
    mixed = model.encode(batch.source[order], batch.source_lengths[order])
    assert torch.allclose(mixed.memory, model.encode(batch.source, batch.source_lengths).memory[order])


def test_selected_sentences_keep_all_their_parts():
    model, batch = small_model("bahdanau"), batch_of(*LENGTHS)
    encoded = model.encode(batch.source, batch.source_lengths)
    chosen = encoded.select(torch.tensor([2, 0]))
    for name in ("source", "memory", "mask", "padding", "keys"):
        assert torch.equal(getattr(chosen, name), getattr(encoded, name)[[2, 0]])
    assert torch.equal(chosen.final, encoded.final[:, [2, 0]])


def test_its_size_is_of_both_directions_together():
    batch = batch_of((2, 1))
    for bidirectional in (True, False):
        model = small_model("vanilla", encoder_size=8, bidirectional=bidirectional)
        assert model.encode(batch.source, batch.source_lengths).memory.shape == (1, 3, 8)

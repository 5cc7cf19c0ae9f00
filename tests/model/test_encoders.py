import pytest
import torch
from torch import nn

from cascade.config import recipe_checks
from cascade.model.encoders import ENCODERS, Blstm, Conformer, _rotated
from cascade.model.network import Network

WAYS = [("upper", (2, 2)), ("lower", (2, 2)), ("lower", (2, 0)), ("all", (4,))]
BOTH_WAYS = ["blstm", "conformer"]


def network(encoder, share="upper", layers=(2, 2), names=("ru", "en")):
    torch.manual_seed(0)
    outputs = dict.fromkeys(names, range(7))
    return Network(outputs, 12, 7, layers, 10, 0.1, share, encoder=encoder)


def test_a_recipe_may_name_each_of_them():
    assert list(recipe_checks.ENCODERS) == list(ENCODERS)


@pytest.mark.parametrize(("share", "layers"), WAYS)
@pytest.mark.parametrize("encoder", ENCODERS)
def test_an_utterance_is_the_same_alone_and_in_a_padded_batch(encoder, share, layers):
    """However it is shared, and whatever the padding has; also beside another language's batch."""
    net = network(encoder, share, layers).eval()
    lengths = {"ru": torch.tensor([5, 40, 1]), "en": torch.tensor([37, 12])}
    batches = {"ru": torch.randn(3, 40, 12), "en": torch.randn(2, 38, 12)}
    together = dict(zip(batches, net(batches, lengths), strict=True))
    for name, batch in batches.items():
        for row, utterance, length in zip(together[name], batch, lengths[name], strict=True):
            (alone,) = net({name: utterance[None, :length]})
            assert torch.allclose(alone[0], row[:length], atol=1e-5)


@pytest.mark.parametrize("encoder", ENCODERS)
def test_padding_gets_no_gradient(encoder):
    net = network(encoder).eval()
    x = torch.randn(2, 9, 12, requires_grad=True)
    net({"ru": x}, {"ru": torch.tensor([9, 4])})[0][1, :4, 1].sum().backward()
    assert x.grad[1, :4].any(dim=1).sum() == 4 and not x.grad[1, 4:].any() and not x.grad[0].any()


@pytest.mark.parametrize("encoder", ENCODERS)
def test_only_an_lstm_knows_nothing_of_what_comes_later(encoder):
    net = network(encoder).eval()
    x = torch.randn(1, 10, 12)
    changed = torch.cat([x[:, :9], -x[:, 9:]], dim=1)
    first, other = (net({"ru": y})[0][0, 0] for y in (x, changed))
    assert torch.equal(first, other) == (encoder == "lstm")


@pytest.mark.parametrize(("share", "layers"), WAYS)
@pytest.mark.parametrize("encoder", BOTH_WAYS)
def test_the_target_s_path_is_a_plain_network_however_it_was_trained(encoder, share, layers):
    net = network(encoder, share, layers).eval()
    plain = network(encoder, layers=(sum(layers),), names=["ru"]).eval()
    plain.load_path("ru", net.path_of("ru"))
    x, lengths = {"ru": torch.randn(2, 9, 12)}, {"ru": torch.tensor([9, 6])}
    assert torch.equal(plain(x, lengths)[0], net(x, lengths)[0])


@pytest.mark.parametrize("encoder", BOTH_WAYS)
def test_networks_that_are_tied_have_a_distance(encoder):
    net = network(encoder)
    assert net.distance("ru") > 0
    net.lower["en"].load_state_dict(net.lower["ru"].state_dict())
    assert net.distance("ru") == 0


def test_a_blstm_is_that_of_torch_over_packed_sequences():
    torch.manual_seed(0)
    ours, theirs = Blstm(12, 10, 0.0), nn.LSTM(12, 10, batch_first=True, bidirectional=True)
    for name, weight in theirs.named_parameters():
        own = ours.backwards if name.endswith("_reverse") else ours.forwards
        own.get_parameter(name.removesuffix("_reverse")).data.copy_(weight)
    x, lengths = torch.randn(3, 9, 12), torch.tensor([9, 4, 1])
    packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True)
    expected, _ = nn.utils.rnn.pad_packed_sequence(theirs(packed)[0], batch_first=True)
    outputs = ours(x, lengths)
    assert outputs.shape == (3, 9, ours.outputs)
    for row, other, length in zip(outputs, ours.norm(expected), lengths, strict=True):
        assert torch.allclose(row[:length], other[:length], atol=1e-6)


def test_rotated_vectors_know_their_distance_only():
    query, key = torch.randn(2, 1, 1, 1, 6)
    first, second = (_rotated(one.expand(1, 1, 9, 6))[0, 0] for one in (query, key))
    products = first @ second.T  # (9, 9)
    for distance in (-4, 0, 3):
        same = products.diagonal(distance)
        assert torch.allclose(same, same[:1].expand_as(same), atol=1e-5)
    assert not torch.isclose(products[0, 0], products[0, 3], atol=1e-3)


def test_blocks_of_a_conformer_project_inputs_of_another_size_only():
    assert isinstance(Conformer(12, 10, 0.0).project, nn.Linear)
    assert isinstance(Conformer(10, 10, 0.0).project, nn.Identity)
    block = Conformer(10, 10, 0.0)
    assert block(torch.randn(2, 5, 10), torch.tensor([5, 2])).shape == (2, 5, 10)

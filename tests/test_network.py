import pytest
import torch

from cascade.network import Network


def network(languages=("ru", "en"), layers=(2, 2), dropout=0.0):
    torch.manual_seed(0)
    return Network(languages, inputs=12, phones=7, layers=layers, neurons=8, dropout=dropout)


def test_shapes_and_log_probabilities():
    net = network()
    out = net({"ru": torch.randn(2, 9, 12), "en": torch.randn(3, 5, 12)})
    assert [tuple(x.shape) for x in out] == [(2, 9, 7), (3, 5, 7)]
    assert torch.allclose(out[0].exp().sum(-1), torch.ones(2, 9))


@pytest.mark.parametrize("lengths", [(9, 9), (10, 9), (30, 4)])
def test_joined_or_apart_the_batches_come_out_the_same(lengths):
    """However much padding there is, each language gets what it gets alone."""
    net = network().eval()
    batches = {
        name: torch.randn(n, t, 12)
        for name, n, t in zip(("ru", "en"), (2, 5), lengths, strict=True)
    }
    together = net(batches)
    for (name, batch), part in zip(batches.items(), together, strict=True):
        assert torch.allclose(net({name: batch})[0], part, atol=1e-6)


def test_padding_behind_an_utterance_changes_nothing():
    net = network().eval()
    x = torch.randn(1, 6, 12)
    longer = torch.cat([x, torch.randn(1, 4, 12)], dim=1)
    assert torch.allclose(net({"ru": x})[0], net({"ru": longer})[0][:, :6], atol=1e-6)


def test_the_plain_network_is_as_deep_as_the_target_s_path_of_a_cascade():
    def size(tensors):
        return sum(t.numel() for t in tensors.values())

    plain, cascade = network(["ru"], (4,)), network()
    assert size(plain.path_of("ru")) == size(cascade.path_of("ru"))


def test_the_target_s_path_has_nothing_of_the_other_language_and_is_enough():
    net = network().eval()
    path = net.path_of("ru")
    assert not [name for name in path if ".en." in name]
    alone = network(["ru"])
    alone.load_state_dict(path)
    x = torch.randn(2, 5, 12)
    assert torch.equal(alone.eval()({"ru": x})[0], net({"ru": x})[0])


def test_each_language_trains_its_own_stack_and_the_shared_one():
    net = network()
    net({"en": torch.randn(2, 5, 12)})[0].sum().backward()
    touched = {name for name, p in net.named_parameters() if p.grad is not None}
    assert not [name for name in touched if name.startswith("lower.ru")]
    assert [name for name in touched if name.startswith("lower.en")]
    assert [name for name in touched if name.startswith("shared")]

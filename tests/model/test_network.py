import pytest
import torch

from cascade.model.network import Network


def network(languages=("ru", "en"), layers=(2, 2), share="upper"):
    torch.manual_seed(0)
    languages = {name: range(7) for name in languages}
    return Network(languages, inputs=12, phones=7, layers=layers, neurons=8, share=share)


def test_shapes_and_log_probabilities():
    net = network()
    out = net({"ru": torch.randn(2, 9, 12), "en": torch.randn(3, 5, 12)})
    assert [tuple(x.shape) for x in out] == [(2, 9, 7), (3, 5, 7)]
    assert torch.allclose(out[0].exp().sum(-1), torch.ones(2, 9))


WAYS = [("upper", (2, 2)), ("lower", (2, 2)), ("all", (4,))]


@pytest.mark.parametrize(("share", "layers"), WAYS)
@pytest.mark.parametrize("lengths", [(9, 9), (10, 9), (30, 4)])
def test_joined_or_apart_the_batches_come_out_the_same(lengths, share, layers):
    """However much padding there is, each language gets what it gets alone."""
    net = network(share=share, layers=layers).eval()
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


@pytest.mark.parametrize(("share", "layers"), WAYS)
def test_the_target_s_path_is_a_plain_network_however_it_was_trained(share, layers):
    """The same tensors, by depth, and the same answers."""
    net, plain = network(share=share, layers=layers).eval(), network(["ru"], (4,)).eval()
    path = net.path_of("ru")
    shapes = {name: tensor.shape for name, tensor in path.items()}
    assert shapes == {name: tensor.shape for name, tensor in plain.path_of("ru").items()}
    assert [name for name in path if name.startswith("layer4.")]
    plain.load_path("ru", path)
    x = torch.randn(2, 5, 12)
    assert torch.equal(plain({"ru": x})[0], net({"ru": x})[0])


def test_a_path_of_another_depth_is_refused():
    with pytest.raises(RuntimeError, match="layer3"):
        network(["ru"], (4,)).load_path("ru", network(["ru"], (2,)).path_of("ru"))


@pytest.mark.parametrize(
    ("share", "layers", "own", "common"),
    [
        ("upper", (2, 2), {"lower.en"}, {"upper.shared"}),
        ("lower", (2, 2), {"upper.en"}, {"lower.shared"}),
        ("all", (4,), set(), {"lower.shared", "upper.shared"}),
    ],
)
def test_a_language_trains_what_is_its_own_and_what_is_shared(share, layers, own, common):
    net = network(share=share, layers=layers)
    net({"en": torch.randn(2, 5, 12)})[0][..., 0].sum().backward()
    touched = {".".join(k.split(".")[:2]) for k, p in net.named_parameters() if p.grad is not None}
    assert touched == own | common


def test_a_language_has_its_own_phones_alone():
    net = Network({"ru": [0, 1, 2], "en": [0, 2, 5, 6]}, 12, 7, (2, 2), 8)
    out = net({"ru": torch.randn(2, 5, 12), "en": torch.randn(2, 5, 12)})
    for log_probs, own in zip(out, ([0, 1, 2], [0, 2, 5, 6]), strict=True):
        assert torch.allclose(log_probs[..., own].exp().sum(-1), torch.ones(2, 5))
        assert log_probs.detach().exp().sum().item() == pytest.approx(10)
    out[0][..., 1].sum().backward()
    assert torch.isfinite(net.upper["shared"][-1].weight.grad).all()
    assert (net.upper["shared"][-1].weight.grad[[3, 4, 5, 6]] == 0).all()


@pytest.mark.parametrize(
    ("share", "layers", "own"), [("upper", (2, 2), "lower"), ("lower", (2, 2), "upper")]
)
def test_the_distance_is_that_to_each_other_language(share, layers, own):
    net = network(("ru", "en", "cs"), layers, share)
    parts = {n: torch.cat([p.ravel() for p in getattr(net, own)[n].parameters()]) for n in net.rows}
    expected = sum((parts["ru"] - parts[n]).square().sum() for n in ("en", "cs"))
    assert torch.isclose(net.distance("ru"), expected)
    for name in ("en", "cs"):
        getattr(net, own)[name].load_state_dict(getattr(net, own)["ru"].state_dict())
    assert net.distance("ru") == 0


@pytest.mark.parametrize(
    ("share", "layers", "own", "common"),
    [
        ("upper", (2, 2), {"lower.made"}, {"upper.shared"}),
        ("lower", (2, 2), set(), {"lower.shared", "upper.ru"}),
        ("all", (4,), set(), {"lower.shared", "upper.shared"}),
    ],
)
def test_a_stream_of_a_language_has_its_lower_part_and_the_language_s_upper_one(
    share, layers, own, common
):
    languages = {"ru": "ru", "made": "ru", "en": "en"}
    outputs = {"ru": [0, 1, 2], "made": [0, 1, 2], "en": [0, 3]}
    net = Network(outputs, 12, 4, layers, 8, share=share, languages=languages).eval()
    batches = {name: torch.randn(2, 9 - i, 12) for i, name in enumerate(outputs)}
    together = dict(zip(batches, net(batches), strict=True))
    for name, batch in batches.items():
        assert torch.allclose(net({name: batch})[0], together[name], atol=1e-6)
        probabilities = together[name][..., outputs[name]].exp().sum(-1)
        assert torch.allclose(probabilities, torch.ones(batch.shape[:2]))
    together["made"][..., 1].sum().backward()
    touched = {".".join(k.split(".")[:2]) for k, p in net.named_parameters() if p.grad is not None}
    assert touched == own | common
    assert (net.distance("ru") > 0) == (share != "all")
    same_shapes = {name: t.shape for name, t in net.path_of("made").items()}
    assert same_shapes == {name: t.shape for name, t in net.path_of("ru").items()}


def test_nothing_of_one_s_own_has_no_distance():
    assert network(share="all", layers=(4,)).distance("ru") == 0
    assert network(("ru",), (4,)).distance("ru") == 0

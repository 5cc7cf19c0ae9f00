import torch

from cascade.model.network import Network
from cascade.model.warm_start import warm_start

MODEL = ["<blk>", "a", "b", "c", "d"]
OURS = ["<blk>", "b", "e", "a"]


def network(languages, layers, phones=5, seed=0, share="upper", inputs=12):
    torch.manual_seed(seed)
    return Network(
        {name: range(phones) for name in languages}, inputs, phones, layers, 8, share=share
    )


def states(origins):
    return {origin.name: (origin.state, origin.frozen) for origin in origins}


def test_a_cascade_begins_as_copies_of_a_plain_network():
    plain, net = network(["en"], (4,)), network(["ru", "en"], (2, 2), seed=1)
    origins = warm_start(net, ["ru", "en"], plain.path_of("en"), (MODEL, MODEL), ())
    assert {o.state for o in origins} == {"loaded"}
    assert {o.name for o in origins} == {name for name, _ in net.named_parameters()}
    x = torch.randn(2, 5, 12)
    expected = plain({"en": x})[0]
    assert all(torch.equal(net({name: x})[0], expected) for name in ("ru", "en"))
    # Copies, not the same tensors: they go apart as they are trained.
    with torch.no_grad():
        net.lower["en"][1].lstm.bias_ih_l0.add_(1)
    assert torch.equal(net({"ru": x})[0], expected)


def test_outputs_are_matched_by_their_phone():
    plain, net = network(["en"], (2,)), network(["ru"], (2,), phones=len(OURS), seed=1)
    fresh = net.path_of("ru")["output.weight"].clone()
    origins = warm_start(net, ["ru"], plain.path_of("en"), (MODEL, OURS), ())
    assert states(origins)["upper.shared.0.weight"] == ("3 of 4 phones loaded", False)
    there, here = plain.path_of("en")["output.weight"], net.path_of("ru")["output.weight"]
    assert torch.equal(here[1], there[2]) and torch.equal(here[3], there[1])
    assert torch.equal(here[2], fresh[2])


def test_what_is_of_another_shape_stays_new():
    plain, net = network(["en"], (4,), inputs=9), network(["ru"], (4,), seed=1)
    origin = states(warm_start(net, ["ru"], plain.path_of("en"), (MODEL, MODEL), ()))
    assert origin["lower.ru.0.weight"][0] == "new"
    assert origin["lower.ru.1.lstm.weight_ih_l0"][0] == "new"
    assert origin["lower.ru.1.lstm.weight_hh_l0"][0] == "loaded"


def test_what_is_frozen_gets_no_gradient():
    plain, net = network(["en"], (4,)), network(["ru", "en"], (2, 2), seed=1)
    freeze = ("norm", "layer1", "layer3")
    origin = states(warm_start(net, ["ru", "en"], plain.path_of("en"), (MODEL, MODEL), freeze))
    net({"ru": torch.randn(2, 5, 12)})[0][..., 0].sum().backward()
    without_gradient = {name for name, p in net.named_parameters() if p.grad is None}
    assert without_gradient >= {name for name, (_, frozen) in origin.items() if frozen}
    assert origin["lower.en.1.norm.weight"][1] and origin["upper.shared.0.norm.weight"][1]
    assert not origin["lower.en.2.norm.weight"][1]
    assert "upper.shared.1.norm.weight" not in without_gradient

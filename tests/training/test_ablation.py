import pytest
import torch

from cascade.model.network import Network
from cascade.training import ablation


def network(share, layers):
    torch.manual_seed(0)
    return Network({"ru": range(5), "en": range(5)}, 12, 5, layers, 8, share=share).eval()


@pytest.mark.parametrize(
    ("share", "layers", "expected"),
    [
        ("upper", (2, 2), ["lower of en", "without layer2", "without layer3", "without layer4"]),
        ("lower", (2, 2), ["upper of en", "without layer2", "without layer3", "without layer4"]),
        ("all", (3,), ["without layer2", "without layer3"]),
    ],
)
def test_each_part_is_changed_alone_and_put_back(monkeypatch, share, layers, expected):
    net = network(share, layers)
    x = torch.randn(2, 5, 12)
    outputs = []

    def answer(network, target, data, device, exact):
        outputs.append(network({target: x})[0])
        return 0.0, float(len(outputs))

    monkeypatch.setattr(ablation, "validate", answer)
    rates = ablation.ablations(net, "ru", None, torch.device("cpu"))
    assert list(rates) == ["whole", *expected]
    assert all(not torch.equal(outputs[0], other) for other in outputs[1:])
    assert torch.equal(outputs[0], net({"ru": x})[0])
    if share == "upper":  # through the lower part of English
        assert torch.equal(outputs[1], net({"en": x})[0])

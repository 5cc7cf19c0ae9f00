import torch

from cascade import environment as module
from cascade.environment import processor


def test_the_processor_is_named_with_what_torch_uses_of_it(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "CPUINFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(module.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(module.platform, "processor", lambda: "")
    used = torch.backends.cpu.get_cpu_capability()
    assert processor() == f"x86_64, {used}"
    (tmp_path / "cpuinfo").write_text(
        "processor\t: 0\nmodel\t\t: 1\nmodel name\t: Some CPU @ 2 GHz\n" * 2
    )
    assert processor() == f"Some CPU @ 2 GHz, x86_64, {used}"

import os
import subprocess
import sys


def test_a_command_without_path_sh_has_one_thread_a_process():
    script = (
        "from cascade.cli.main import main\nmain(['table', '/dev/null'])\n"
        "import torch\nprint(torch.get_num_threads())"
    )
    environment = {k: v for k, v in os.environ.items() if not k.endswith("_NUM_THREADS")}
    printed = subprocess.check_output([sys.executable, "-c", script], env=environment, text=True)
    assert printed.split()[-1] == "1"

"What every benchmark notes beside its numbers."
import json, os, platform
from datetime import date
from pathlib import Path
import torch

RESULTS = Path(__file__).parent/'results'


def machine() -> dict:
    "Processor, cores, versions, date."
    cpu = platform.processor() or platform.machine()
    if Path('/proc/cpuinfo').exists():
        names = [line.split(':', 1)[1].strip() for line in Path('/proc/cpuinfo').read_text().splitlines() if line.startswith('model name')]
        cpu = names[0] if names else cpu
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    return dict(cpu=cpu, cores=os.cpu_count(), threads=torch.get_num_threads(), gpu=gpu, torch=torch.__version__,
                python=platform.python_version(), date=date.today().isoformat())


def save(name: str, result: dict) -> None:
    "Print, and write results/NAME.json."
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps(dict(machine=machine(), **result), indent=1, ensure_ascii=False)
    (RESULTS/f'{name}.json').write_text(text+'\n', encoding='utf-8')
    print(text)

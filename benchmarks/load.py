"""Many files: what 100,000 latents and 10,000 pictures cost in time and memory.

    python benchmarks/load.py [--latents 100000] [--pictures 10000]

latents    small ones, as preprocessing writes them: seconds to load them all, seconds until the first batch of an epoch is
           drawn, seconds of a batch, memory held
pictures   of 32 pixels in one folder: seconds to encode them, and of a second run that finds nothing to do
Each part is a process of its own, so that its peak of memory is its own.
"""
import argparse, json, resource, subprocess, sys, tempfile, time
from pathlib import Path
import numpy as np
import torch
from PIL import Image
from common import save
from otcfm_nb.config import preset
from otcfm_nb.data import load_latents
from otcfm_nb.device import make_accelerator
from otcfm_nb.latents_index import write_index
from otcfm_nb.preprocess_latents import preprocess
from otcfm_nb.trainer import Trainer, batch_of

SHAPE = [4, 4, 4]


def timed(f):
    start = time.perf_counter(); result = f()
    return result, time.perf_counter()-start


def memory() -> dict:
    "MB now and at most."
    now = int(Path('/proc/self/statm').read_text().split()[1])*resource.getpagesize()
    return dict(now_mb=now/2**20, peak_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss/1024)


def write_latents(root: Path, n: int) -> None:
    "Latents of noise in two styles with an index, in the format of the command."
    g, files = torch.Generator().manual_seed(0), {}
    for k in (0, 1): (root/f'style_{k}').mkdir(parents=True)
    for i in range(n):
        z, name = torch.randn(SHAPE, generator=g), f'style_{i % 2}/{i:06}.pt'
        torch.save(z, root/name)
        files[name] = dict(source=name.replace('.pt', '.png'), size=0, sha256=f'{i:064x}', mean=z.mean((1, 2)).tolist(), var=z.var((1, 2), unbiased=False).tolist())
    write_index(root, dict(vae=dict(name='embedded', identity='none'), target_size=32, shape=SHAPE), files, 2)


def latents(n: int) -> dict:
    with tempfile.TemporaryDirectory() as tmp:
        _, writing = timed(lambda: write_latents(Path(tmp)/'latents', n))
        before = memory()
        (x1, style, info), loading = timed(lambda: load_latents(Path(tmp)/'latents'))
        cfg = preset('cpu'); cfg.checkpoint.save_dir, cfg.training.compile = f'{tmp}/checkpoints', False
        tr, building = timed(lambda: Trainer(cfg, x1, style, info, make_accelerator(cfg, cpu=True)))
        starts = []
        for epoch in range(3):
            tr.step = epoch*tr.steps_per_epoch
            starts.append(timed(lambda: batch_of(tr))[1])
        tr.step += 1
        batch = sorted(timed(lambda: batch_of(tr))[1] for _ in range(20))[10]
        return dict(latents=n, bytes_of_numbers=x1.numel()*4, index_mb=(Path(tmp)/'latents'/'latents.json').stat().st_size/2**20, writing_s=writing, loading_s=loading,
                    trainer_s=building, first_batch_of_an_epoch_s=starts, other_batch_s=batch, memory_before=before, memory=memory())


def pictures(n: int) -> dict:
    cfg, rng = preset('cpu'), np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as tmp:
        cfg.data.raw_data_root, cfg.data.data_root, cfg.data.target_size = f'{tmp}/raw', f'{tmp}/latents', 32
        for k, count in ((0, n), (1, 1)):
            (Path(tmp)/'raw'/f'style_{k}').mkdir(parents=True)
            for i in range(count): Image.fromarray(rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)).save(Path(tmp)/'raw'/f'style_{k}'/f'{i:05}.png')
        before = memory()
        done, first = timed(lambda: preprocess(cfg, progress=False))
        again, second = timed(lambda: preprocess(cfg, progress=False))
        return dict(pictures=n, encoded=done['encoded'], encoding_s=first, again_encoded=again['encoded'], nothing_to_do_s=second, memory_before=before, memory=memory())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--latents', type=int, default=100_000)
    parser.add_argument('--pictures', type=int, default=10_000)
    parser.add_argument('--part', choices=['latents', 'pictures'], help='One part, its result as JSON (used by the script itself)')
    a = parser.parse_args()
    if a.part: return print(json.dumps(dict(latents=latents, pictures=pictures)[a.part](getattr(a, a.part))))
    found = {}
    for part in ('latents', 'pictures'):
        done = subprocess.run([sys.executable, __file__, '--part', part, f'--{part}', str(getattr(a, part))], check=True, stdout=subprocess.PIPE, encoding='utf-8')
        found[part] = json.loads(done.stdout.splitlines()[-1]); print(part, found[part], flush=True)
    save('load', found)


if __name__ == '__main__': main()

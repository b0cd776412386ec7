"""A training step of the demo's model in the two memory orders, alternating in one run; medians and their ratio.

    python benchmarks/model_step.py [--steps 15] [--size 16] [--batch 32]
"""
import argparse, statistics, time
import torch
from common import save
from otcfm_nb.config import preset
from otcfm_nb.flow import cfm_loss
from otcfm_nb.model import build_model


def step(model, opt, x1, style, g):
    start = time.perf_counter()
    loss = cfm_loss(model, x1, style, g)
    opt.zero_grad(); loss.backward(); opt.step()
    return time.perf_counter()-start


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--steps', type=int, default=15)
    parser.add_argument('--size', type=int, default=16)
    parser.add_argument('--batch', type=int, default=32)
    a = parser.parse_args()
    g = torch.Generator().manual_seed(0)
    x1, style, rows = torch.randn(a.batch, 4, a.size, a.size, generator=g), torch.arange(a.batch) % 2, {}
    for kernel in (7, 9):
        cfg = preset('cpu').model; cfg.kernel_size = kernel
        models = {'contiguous': build_model(cfg), 'channels_last': build_model(cfg).to(memory_format=torch.channels_last)}
        opts = {k: torch.optim.AdamW(m.parameters()) for k, m in models.items()}
        times = {k: [] for k in models}
        for i in range(a.steps+2):
            for k in models:
                seconds = step(models[k], opts[k], x1, style, g)
                if i >= 2: times[k].append(seconds)
        median = {k: statistics.median(t) for k, t in times.items()}
        rows[f'kernel {kernel}'] = dict(**median, ratio=median['contiguous']/median['channels_last'])
    save('model_step', dict(batch=a.batch, latent=[4, a.size, a.size], seconds=rows))


if __name__ == '__main__': main()

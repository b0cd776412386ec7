"""What pairing a batch costs (medians, all sizes alternating in one run), whether its solver releases the GIL, and what it does to latents.

    python benchmarks/coupling.py [--repeats 9] [--batches 32 64 128 256 512] [--scenes 192]
"""
import argparse, math, statistics, threading, time
import numpy as np
import scipy
import torch
from scipy.optimize import linear_sum_assignment
from common import save
from accelerate import Accelerator
from otcfm_nb.config import preset
from otcfm_nb.coupling import ot_order, pair_within_styles
from otcfm_nb.painter import make_pair
from otcfm_nb.trainer import Trainer, train_step
from otcfm_nb.vae import load_vae

LATENTS = ((4, 16, 16), (4, 64, 64))


def seconds(f):
    start = time.perf_counter(); result = f()
    return time.perf_counter()-start, result


def once(x0, x1, style) -> dict:
    "Seconds of the parts and of the two functions."
    matrix, cost = seconds(lambda: (x1.flatten(1)@x0.flatten(1).T).numpy())
    assignment, _ = seconds(lambda: linear_sum_assignment(cost, maximize=True))
    whole, order = seconds(lambda: ot_order(x0, x1))
    within, _ = seconds(lambda: pair_within_styles(x0, x1, style))
    before, after = (x1-x0).square().sum(), (x1-x0[order]).square().sum()
    return dict(matrix=matrix, assignment=assignment, ot_order=whole, within_2_styles=within, saved=1-(after/before).item())


def timings(batches, repeats) -> dict:
    "Latent -> batch size -> median seconds; sizes alternate, so that a slow minute of the machine touches all of them."
    g, runs = torch.Generator().manual_seed(0), {(s, b): [] for s in LATENTS for b in batches}
    for i in range(repeats+1):
        for (shape, b), found in runs.items():
            row = once(*torch.randn(2, b, *shape, generator=g), torch.arange(b) % 2)
            if i: found.append(row)                      # the first round warms up
    median = lambda rows: {k: statistics.median(r[k] for r in rows) for k in rows[0]}
    return {'x'.join(map(str, s)): {str(b): median(runs[s, b]) for b in batches} for s in LATENTS}


def counts_a_second(work=None, at_least=.5) -> float:
    "How fast this thread counts while another one does `work` (nothing: for `at_least` seconds)."
    other = threading.Thread(target=work or (lambda: time.sleep(at_least)))
    n, start = 0, time.perf_counter(); other.start()
    while other.is_alive(): n += 1
    return n/(time.perf_counter()-start)


def gil(repeats, n=1500) -> dict:
    """Counting speed beside a solver, as a share of the speed beside a sleeping thread: near 1 if the solver releases the GIL.
    Sorting a list holds it throughout, which shows what the other answer looks like."""
    g = torch.Generator().manual_seed(0)
    cost, numbers = torch.rand(n, n, generator=g).numpy(), torch.rand(2_000_000, generator=g).tolist()
    works = {'asleep': None, 'linear_sum_assignment': lambda: linear_sum_assignment(cost), 'sorted': lambda: sorted(numbers)}
    speeds = {k: [] for k in works}
    for _ in range(repeats):
        for k, work in works.items(): speeds[k].append(counts_a_second(work))
    speed = {k: statistics.median(v) for k, v in speeds.items()}
    share = {k: v/speed['asleep'] for k, v in speed.items() if k != 'asleep'}
    return dict(counts_a_second=speed, share=share, released=share['linear_sum_assignment'] > .3)


def scene_latents(n) -> list:
    "Latents of n procedural photographs and of their paintings, 128 px, one row each."
    codec, pairs = load_vae(), [make_pair(seed, 128) for seed in range(5000, 5000+n)]
    pictures = (torch.from_numpy(np.stack(p)).permute(0, 3, 1, 2).float()/127.5-1 for p in zip(*pairs))
    return [torch.cat([codec.encode(b) for b in x.split(32)]).flatten(1) for x in pictures]


def draw(z, n, g):
    return z[torch.randperm(len(z), generator=g)[:n]]


def one_style(z, b, g, repeats=20, directions=8) -> dict:
    "Share saved, its bound with the deviation around the mean, seconds, and correlation with noise along the leading directions."
    d, mean, rows = z.shape[1], z.mean(0), []
    tau, centred = z.square().mean().sqrt().item(), (z-mean).square().mean().sqrt().item()
    axes = torch.linalg.svd(z-mean, full_matrices=False)[2][:directions].T
    for _ in range(repeats):
        x1 = draw(z, b, g); x0 = torch.randn(x1.shape, generator=g)
        took, order = seconds(lambda: ot_order(x0, x1))
        p0, p1 = x0[order]@axes, (x1-mean)@axes
        saved = 1-((x1-x0[order]).square().sum()/(x1-x0).square().sum()).item()
        rows.append((saved, took, (p0*p1).mean(0)/(p0.square().mean(0)*p1.square().mean(0)).sqrt()))
    return dict(saved=statistics.mean(r[0] for r in rows), bound=2*centred*math.sqrt(2*math.log(b)/d)/(1+tau**2),
                ot_order=statistics.median(r[1] for r in rows), correlation=[round(v, 3) for v in torch.stack([r[2] for r in rows]).mean(0).tolist()])


def leak(z, b, g, pair, repeats=60) -> float:
    "Area under the curve with which noise, projected on the difference of the styles' means, tells its partner's style."
    style, axis, scores = torch.arange(b) % 2, z[1].mean(0)-z[0].mean(0), []
    for _ in range(repeats):
        x1 = torch.stack([draw(z[0], b//2, g), draw(z[1], b//2, g)], 1).flatten(0, 1)
        x0 = torch.randn(x1.shape, generator=g)
        scores.append(x0[pair(x0, x1, style)]@axis)
    s = torch.cat(scores).view(-1, 2)
    return (s[:, 1][:, None] > s[:, 0]).double().mean().item()


def latents(scenes, b=64) -> dict:
    "What the pairing does to latents of the embedded VAE."
    z, g = scene_latents(scenes), torch.Generator().manual_seed(0)
    pairs = {'across styles': lambda x0, x1, style: ot_order(x0, x1), 'within styles': pair_within_styles}
    rows = {name: {str(n): one_style(x, n, g) for n in (16, 32, 64, 128) if n <= scenes} for name, x in zip(('photographs', 'paintings'), z)}
    return dict(scenes=scenes, dimensions=z[0].shape[1], batches_of_one_style=rows, noise_tells_style={k: leak(z, b, g, p) for k, p in pairs.items()}, leak_batch=b)


def training_steps(steps, batch=64) -> dict:
    "Median seconds of a step of the demo's model without pairing, paired in the step, and paired by two workers; alternating in one run."
    g, trainers = torch.Generator().manual_seed(0), {}
    x1, style = torch.randn(512, *LATENTS[0], generator=g), torch.arange(512) % 2
    for name, coupling, workers in (('independent', 'independent', 0), ('ot, in the step', 'ot', 0), ('ot, 2 workers', 'ot', 2)):
        cfg = preset('cpu'); cfg.training.batch_size, cfg.training.coupling, cfg.training.num_workers = batch, coupling, workers
        trainers[name] = Trainer(cfg, x1, style, accelerator=Accelerator(cpu=True), max_steps=steps+2)
    times = {k: [] for k in trainers}
    for i in range(steps+2):
        for k, tr in trainers.items():
            took, _ = seconds(lambda: train_step(tr))
            if i >= 2: times[k].append(took)
    median = {k: statistics.median(t) for k, t in times.items()}
    return dict(batch=batch, latent=LATENTS[0], seconds=median, ratio={k: v/median['independent'] for k, v in median.items()})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--repeats', type=int, default=9)
    parser.add_argument('--batches', type=int, nargs='+', default=[32, 64, 128, 256, 512])
    parser.add_argument('--scenes', type=int, default=192)
    parser.add_argument('--steps', type=int, default=20)
    a = parser.parse_args()
    save('coupling', dict(scipy=scipy.__version__, data='standard normal numbers', seconds=timings(a.batches, a.repeats), gil=gil(min(a.repeats, 5)),
                          training=training_steps(a.steps), latents=latents(a.scenes)))


if __name__ == '__main__': main()

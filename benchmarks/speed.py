"""What training costs, as ratios in one run: alternating order, medians.

    pip install torchcfm pot && python benchmarks/speed.py [--seconds 200] [--parts race compiled flops loader preprocess start]

race        operations and seconds of a training step against UNets of about equal parameters on the same latents, and, all given the
            same time, seconds until each has the held-out loss that the last of them reaches; all compiled, which no clock counts
compiled    the same steps plain and compiled, and what the first compiled one costs
flops       floating-point operations a second of a compiled step against this machine's best matrix product
loader      the trainer's step against the same step on numbers that lie ready
preprocess  the whole command against the bare encoder on pictures that lie ready: the packaged VAEs, and one of the guide's size
start       `--help` of every command, and the import of the package
Peers: torchcfm's UNet (the one of its CIFAR examples) and diffusers' UNet2DModel, both with a style label and attention at half resolution.
"""
import argparse, json, statistics, subprocess, sys, tempfile, time
from pathlib import Path
import torch
from torch._inductor.utils import fresh_inductor_cache
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode
from accelerate import Accelerator
from diffusers import AutoencoderKL, UNet2DModel
from common import RESULTS, save
from otcfm_nb.config import preset, with_vae
from otcfm_nb.data import load_latents, read_image, to_tensor
from otcfm_nb.draws import Draws, draw_step, part_loss, stream
from otcfm_nb.model import build_model
from otcfm_nb.painter import write_styles
from otcfm_nb.preprocess_latents import preprocess
from otcfm_nb.tally import Cut, ghost_step
from otcfm_nb.trainer import Trainer, train_step
from otcfm_nb.vae import load_vae
from otcfm_nb.whitening import channel_maps, whiten

median = statistics.median


def timed(f):
    start = time.perf_counter(); f()
    return time.perf_counter()-start


def parameters(model):
    return sum(p.numel() for p in model.parameters())


def torchcfm_unet(width):
    from torchcfm.models.unet.unet import UNetModelWrapper
    net = UNetModelWrapper(dim=(4, 16, 16), num_channels=width, num_res_blocks=1, channel_mult=(1, 2), num_classes=3, class_cond=True, attention_resolutions='8')
    return net, lambda x, t, y: net(t, x, y)


def diffusers_unet(width):
    net = UNet2DModel(sample_size=16, in_channels=4, out_channels=4, layers_per_block=1, block_out_channels=(width, 2*width), norm_num_groups=8, num_class_embeds=3,
                      down_block_types=('DownBlock2D', 'AttnDownBlock2D'), up_block_types=('AttnUpBlock2D', 'UpBlock2D'))
    return net, lambda x, t, y: net(x, 1000*t, class_labels=y).sample


def nearest_width(build, widths, wanted):
    "The model of the family whose number of parameters is nearest."
    return min((build(w) for w in widths), key=lambda m: abs(parameters(m[0])-wanted))


def contestants() -> dict:
    torch.manual_seed(0)
    ours = build_model(preset('cpu').model).to(memory_format=torch.channels_last)
    found = {'IsoNext': (ours, ours)}
    found['diffusers UNet2DModel'] = nearest_width(diffusers_unet, (24, 32, 40, 48), parameters(ours))
    try: found['torchcfm UNet'] = nearest_width(torchcfm_unet, (32, 64), parameters(ours))
    except ImportError as e: print(f'torchcfm is left out: {e}', flush=True)
    return found


def gflop(call) -> float:
    "Forward operations for a latent (4,16,16), in 10^9; torch counts those backwards wrongly for depthwise convolutions."
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter: call(torch.randn(1, 4, 16, 16), torch.rand(1), torch.zeros(1, dtype=torch.long))
    return counter.get_total_flops()/1e9


def step(call, opt, draw):
    loss = part_loss(call, draw, len(draw))
    opt.zero_grad(set_to_none=True); loss.backward(); opt.step()


def scene_latents(n=1200):
    "Whitened latents of scenes, photographs and paintings, and the demo's configuration."
    cfg = preset('cpu')
    with tempfile.TemporaryDirectory() as tmp:
        cfg.data.raw_data_root, cfg.data.data_root = f'{tmp}/pictures', f'{tmp}/latents'
        write_styles(Path(tmp)/'pictures', n, 128, 0, progress=False)
        preprocess(cfg, progress=False)
        x1, style, _ = load_latents(cfg.data.data_root)
    return whiten(x1, style, channel_maps(x1, style, 2)), style, cfg


def compiled(data, repeats=12) -> dict:
    "Seconds of a step plain and compiled, alternating, and of the first compiled one, without what torch may have kept on disk."
    x1, style, cfg = data
    draw, found = Draws(cfg, x1, style)[0], {}
    for k, (net, call) in contestants().items():
        opt, fused = torch.optim.AdamW(net.parameters()), torch.compile(call, dynamic=False)
        torch._dynamo.reset()
        with fresh_inductor_cache(): first = timed(lambda: step(fused, opt, draw))
        times = [(timed(lambda: step(call, opt, draw)), timed(lambda: step(fused, opt, draw))) for _ in range(repeats)][2:]
        found[k] = dict(plain=median(a for a, _ in times), compiled=median(b for _, b in times), ratio=median(b/a for a, b in times), first=first)
    return found


def race(data, seconds, every=5.) -> dict:
    "Whoever has trained for the shortest time takes the next step, all on the same draws, so that all have the same seconds at last; held-out loss every few of them, outside of the clock."
    x1, style, cfg = data
    held = torch.arange(len(x1)) % 10 == 0
    aside = draw_step(x1[held], style[held], cfg, 2**31-1)
    aside.t = ((torch.arange(len(aside))+.5)/len(aside))[torch.randperm(len(aside), generator=stream(0, 7))]
    draws, models = Draws(cfg, x1[~held], style[~held]), contestants()
    fused = {k: torch.compile(call, dynamic=False) for k, (_, call) in models.items()}
    opts = {k: torch.optim.AdamW(net.parameters(), lr=cfg.training.learning_rate, betas=(.9, .99)) for k, (net, _) in models.items()}
    times, curves = {k: [] for k in models}, {k: [] for k in models}
    spent = lambda k: sum(times[k])
    while min(map(spent, models)) < seconds:
        k = min(models, key=spent)
        draw, call = draws[len(times[k])], models[k][1]
        took = timed(lambda: step(fused[k] if len(draw) == cfg.training.batch_size else call, opts[k], draw))
        times[k].append(took if times[k] else 0.)                 # the first one is compiled
        if spent(k) < every*(len(curves[k])+1): continue
        with torch.no_grad(): loss = part_loss(call, aside, len(aside)).item()
        curves[k].append((spent(k), loss)); print(f'{k}: step {len(times[k])}, {spent(k):.0f} s, {loss:.4f}', flush=True)
    goal = max(min(l for _, l in c) for c in curves.values())
    reached = {k: next(s for s, l in c if l <= goal) for k, c in curves.items()}
    second = {k: median(t[2:]) for k, t in times.items()}
    return dict(batch=cfg.training.batch_size, latent=list(x1.shape[1:]), latents=len(x1), parameters={k: parameters(n) for k, (n, _) in models.items()}, gflop={k: gflop(call) for k, (_, call) in models.items()}, steps={k: len(t) for k, t in times.items()},
                seconds_a_step=second, ours_over_peer={k: second['IsoNext']/s for k, s in second.items()}, lowest_loss={k: min(l for _, l in c) for k, c in curves.items()},
                common_loss=goal, seconds_to_it=reached, ours_over_peer_to_it={k: reached['IsoNext']/s for k, s in reached.items()}, curves=curves)


def flops(data, repeats=15) -> dict:
    "Operations by the tally of chapter 21_tally, which corrects what torch counts; the peak is the best of several sizes of float32 matrix product."
    x1, style, cfg = data
    net = build_model(cfg.model).to(memory_format=torch.channels_last)
    opt, draw = torch.optim.AdamW(net.parameters()), Draws(cfg, x1, style)[0]
    whole = ghost_step(cfg, tuple(x1.shape[1:]), Cut(len(draw), len(draw))).step['flops']
    fused = torch.compile(net, dynamic=False); step(fused, opt, draw)
    took = median([timed(lambda: step(fused, opt, draw)) for _ in range(repeats)])
    rates = []
    for n in (512, 1024, 2048):
        a = torch.randn(n, n); rates.append(2*n**3/median([timed(lambda: a@a) for _ in range(7)]))
    done = whole/took
    return dict(gflop_a_step=whole/1e9, seconds=took, gflop_a_second=done/1e9, matrix_product=max(rates)/1e9, share=done/max(rates))


def loader(data, steps=40) -> dict:
    "Order, whitening and draws of a batch against numbers that lie ready; independent pairs, and pairs by optimal transport in two workers."
    x1, style, cfg = data
    make = lambda c: Trainer(c, x1, style, accelerator=Accelerator(cpu=True), max_steps=10**6)
    ot = cfg.model_copy(deep=True); ot.training.coupling, ot.training.num_workers = 'ot', 2
    trainers = {'independent': make(cfg), 'ot, 2 workers': make(ot)}
    ready = trainers['independent']                   # the same weights and moments in memory, so that only the draws differ
    import otcfm_nb.trainer as module
    draw, whole = Draws(cfg, x1, style)[0], module.batch_of
    times = {k: [] for k in ['ready', *trainers]}
    for i in range(steps+2):
        module.batch_of = lambda tr: draw
        times['ready'].append(timed(lambda: train_step(ready)))
        module.batch_of = whole
        for k, tr in trainers.items(): times[k].append(timed(lambda: train_step(tr)))
    second = {k: median(t[2:]) for k, t in times.items()}
    return dict(seconds=second, share_of_ready={k: second['ready']/s for k, s in second.items()})


def guides_vae(folder) -> str:
    "A folder with a VAE of the guide's kind and size, stabilityai/sd-vae-ft-mse, with random weights: 84 million parameters, which cost what trained ones do."
    torch.manual_seed(0)
    AutoencoderKL(block_out_channels=(128, 256, 512, 512), layers_per_block=2, latent_channels=4, down_block_types=['DownEncoderBlock2D']*4,
                  up_block_types=['UpDecoderBlock2D']*4, scaling_factor=.18215).save_pretrained(folder)
    return str(folder)


def encoded(cfg, vae, n, repeats, tmp, batch=8) -> dict:
    "Seconds of encoding alone and of the command, less those of loading the VAE, once whatever the number of pictures."
    with_vae(cfg, vae).data.raw_data_root = f'{tmp}/{n}'
    if not Path(cfg.data.raw_data_root).exists(): write_styles(Path(cfg.data.raw_data_root), n//2, 256, 0, progress=False)
    pictures = torch.stack([to_tensor(read_image(p)) for p in sorted(Path(cfg.data.raw_data_root).glob('*/*'))])
    codec, ratios = load_vae(vae), []
    for i in range(repeats+1):
        cfg.data.data_root = f'{tmp}/latents of {Path(vae).name} {i}'
        bare = timed(lambda: [codec.encode(b) for b in pictures.split(batch)])
        loading = timed(lambda: load_vae(vae))
        whole = timed(lambda: preprocess(cfg, target_size=256, batch_size=batch, progress=False))-loading
        if i: ratios.append((bare, whole))
    return dict(pictures=n, size=256, bare=median(b for b, _ in ratios), whole=median(w for _, w in ratios), bare_over_whole=median(b/w for b, w in ratios))


def encoding() -> dict:
    "Reading, fitting, encoding, hashing, writing and indexing against encoding alone, for the packaged VAEs and for the guide's."
    with tempfile.TemporaryDirectory() as tmp:
        jobs = {'embedded': ('embedded', 96, 3), 'taef2': ('taef2', 96, 3), 'of the size of sd-vae-ft-mse': (guides_vae(Path(tmp)/'kl'), 16, 2)}
        return {name: encoded(preset('cpu'), vae, n, repeats, tmp) for name, (vae, n, repeats) in jobs.items()}


def start(repeats=5) -> dict:
    "Seconds of a fresh interpreter; an empty one alternates with the others."
    jobs = {'nothing': ['-c', ''], 'import otcfm_nb': ['-c', 'import otcfm_nb']}
    jobs |= {f'{m} --help': ['-m', f'otcfm_nb.{m}', '--help'] for m in ('preprocess_latents', 'train', 'inference', 'demo', 'memory')}
    times = {k: [] for k in jobs}
    for _ in range(repeats):
        for k, args in jobs.items(): times[k].append(timed(lambda: subprocess.run([sys.executable, *args], check=True, stdout=subprocess.DEVNULL)))
    return {k: median(t) for k, t in times.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--seconds', type=float, default=200, help='of training for each in the race')
    parser.add_argument('--parts', nargs='+', default=['race', 'compiled', 'flops', 'loader', 'preprocess', 'start'], help='race compiled flops loader preprocess start')
    a = parser.parse_args()
    data = scene_latents() if {'race', 'compiled', 'flops', 'loader'} & set(a.parts) else None
    work = dict(flops=lambda: flops(data), loader=lambda: loader(data), preprocess=encoding, start=start, compiled=lambda: compiled(data), race=lambda: race(data, a.seconds))
    found = {}
    for name in work:
        if name in a.parts: found[name] = work[name](); print(name, {k: v for k, v in found[name].items() if k != 'curves'}, flush=True)
    file = RESULTS/'speed.json'
    if len(found) < len(work) and file.exists(): found = {k: v for k, v in json.loads(file.read_text()).items() if k in work} | found   # the parts that were not run stay
    save('speed', found)


if __name__ == '__main__': main()

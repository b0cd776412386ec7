"""The demo with one thing changed at a time: same pictures, same number of steps, same judge.

    python benchmarks/variants.py [NAME ...] [--steps 400] [--pictures 700] [--pairs 64] [--seed 0]

Three seeds of the demo itself tell how much is chance. Kernel size, width, depth, pairing by optimal transport within each style,
mirrored latents, mirrored pictures (encoded, so that half of the latents are of those), uniform times (three seeds), and self-conditioning:
beside x_t the network is given the coarse structure of x1, means of 4×4 places, at translating those of the source. Each is judged
without guidance and with the demo's; of 'uniform times' also the weights as they are at the end, and averaged with decays of .9 (over ten
steps or so) and .999 (the demo's is .99). Writes results/variants.json after each run; runs that stand there with the
same settings are not made again.
"""
import argparse, json, tempfile, time
from pathlib import Path
import torch
import torch.nn.functional as F
from diffusers.optimization import get_cosine_schedule_with_warmup
from diffusers.training_utils import EMAModel
from tqdm.auto import tqdm
from baselines import prepare
from common import RESULTS, save
from otcfm_nb.demo import check_request, judge
from otcfm_nb.draws import Draws, part_loss
from otcfm_nb.metrics import reinhard, score_table
from otcfm_nb.model import build_model
from otcfm_nb.palette import palette_of
from otcfm_nb.seen import loss_weights, metric_for
from otcfm_nb.trainer import param_groups
from otcfm_nb.translate import Translator
from otcfm_nb.vae import load_vae
from otcfm_nb.whitening import channel_maps, whiten

DECAYS = (0., .9, .99, .999)
VARIANTS = {'demo': {}, 'seed 1': dict(seed=1), 'seed 2': dict(seed=2), 'pairs by optimal transport': dict(coupling='ot'),
            'kernel 3': dict(kernel_size=3), 'kernel 5': dict(kernel_size=5), 'kernel 9': dict(kernel_size=9),
            'coarse structure given': dict(coarse=True), 'mirrored pictures': dict(mirrored=True), 'mirrored latents': dict(flip=True),
            'width 64': dict(hidden_dim=64), 'width 128': dict(hidden_dim=128), '12 blocks': dict(num_layers=12), 'uniform times': dict(time_sampler='uniform'),
            **{f'uniform times, seed {k}': dict(time_sampler='uniform', seed=k) for k in (1, 2)}}


def coarse(z):
    "Means over 4×4 places, at every place (B,C,h,w)."
    return F.interpolate(F.avg_pool2d(z, 4), scale_factor=4)


class Informed(torch.nn.Module):
    "A network that is given `seen` (B,C,h,w) beside x_t; several labels of one picture get the same."
    def __init__(self, cfg):
        super().__init__()
        self.net, self.seen = build_model(cfg.model_copy(update=dict(latent_channels=2*cfg.latent_channels))), None
        self.null_style = self.net.null_style

    def forward(self, x_t, t, style):
        seen = self.seen.repeat(len(x_t)//len(self.seen), 1, 1, 1)
        return self.net(torch.cat([x_t, seen], 1), t, style)[:,:x_t.shape[1]]


def changed(cfg, change):
    "The demo's configuration with one thing changed, and whether the network is given the coarse structure."
    cfg, rest = cfg.model_copy(deep=True), dict(change)
    informed, _ = rest.pop('coarse', False), rest.pop('mirrored', False)
    for key, value in rest.items():
        section = next(s for s in (cfg.model, cfg.training, cfg.data) if key in type(s).model_fields)
        setattr(section, key, value)
    return type(cfg).model_validate(cfg.model_dump()), informed


def fitted(cfg, informed, draws, weights, steps):
    "A network after so many steps, its averages by decay, seconds a step."
    t = cfg.training
    torch.manual_seed(t.seed)
    model = (Informed(cfg.model) if informed else build_model(cfg.model)).to(memory_format=torch.channels_last).train()
    opt = torch.optim.AdamW(param_groups(model, t.weight_decay), lr=t.learning_rate, betas=(.9, .99), fused=True)
    schedule = get_cosine_schedule_with_warmup(opt, min(t.warmup_steps, steps//10), steps)
    averages, start = {d: EMAModel(model.parameters(), decay=d) for d in DECAYS}, time.monotonic()
    for i in tqdm(range(steps), mininterval=20):
        draw = draws[i]
        if informed: model.seen = coarse(draw.x1)
        part_loss(model, draw, len(draw), weights).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), t.grad_clip)
        opt.step(); schedule.step(); opt.zero_grad(set_to_none=True)
        for average in averages.values(): average.step(model.parameters())
    return model, averages, (time.monotonic()-start)/steps


class Bench:
    "Pictures, latents and judge, made once."
    def __init__(self, out, steps, pictures, pairs, seed):
        self.cfg, self.x1, self.style, self.info, (self.photos, self.truth, self.second), self.pictures = prepare(out, pictures, pairs, 128, seed)
        self.steps, self.palette, self.codec = steps, palette_of(self.info), load_vae(self.cfg.data.vae)
        self.info['metric'] = metric_for(self.cfg, self.x1, self.style)

    def mirrored(self):
        "All latents, and those of the same pictures mirrored."
        made = [[self.codec.encode(self.palette.to_common(p.flip(-1), k)) for p in self.pictures[k].split(16)] for k in (0, 1)]
        return torch.cat([self.x1, *[z for k in made for z in k]]), torch.cat([self.style, *[torch.full((len(p),), k) for k, p in enumerate(self.pictures)]])

    def run(self, change, decays=()):
        "Train one variant and judge it: columns by decay and guidance."
        cfg, informed = changed(self.cfg, change)
        x1, style = self.mirrored() if change.get('mirrored') else (self.x1, self.style)
        maps = channel_maps(x1, style, 2)
        model, averages, seconds = fitted(cfg, informed, Draws(cfg, x1, style, maps), loss_weights(cfg, self.info, maps), self.steps)
        rows = {}
        for decay in (cfg.training.ema_decay, *decays):
            averages[decay].copy_to(model.parameters())
            tr = Translator(model, self.codec, maps=maps, palette=self.palette, anchor=cfg.data.anchor)
            z = tr.encode(self.photos, 0)
            if informed: model.seen = coarse(whiten(z, 0, maps))
            x0 = tr.invert(z, 0).x
            for w in (1., cfg.data.cfg_scale):
                found = tr.decode(tr.generate(x0, 1, cfg_scale=w), 128, 128, 1, self.photos, 0)
                rows[f'decay {decay:g}, guidance {w:g}'] = judge({'': found}, self.photos, self.truth, self.pictures[1])['']
        return dict(change=change, parameters=sum(p.numel() for p in model.parameters()), seconds_a_step=seconds, rows=rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('names', nargs='*', choices=[[], *VARIANTS], help='default: all of them')
    parser.add_argument('--steps', type=int, default=400)
    parser.add_argument('--pictures', type=int, default=700)
    parser.add_argument('--pairs', type=int, default=64)
    parser.add_argument('--seed', type=int, default=0)
    a = parser.parse_args()
    check_request(1, None, a.pictures, a.pairs, 128, a.seed)
    settings, file = dict(steps=a.steps, pictures=a.pictures, pairs=a.pairs, seed=a.seed), RESULTS/'variants.json'
    saved = json.loads(file.read_text()) if file.exists() else {}
    runs = saved['runs'] if {k: saved.get(k) for k in settings} == settings else {}
    with tempfile.TemporaryDirectory() as tmp:
        bench = Bench(Path(tmp), **settings)
        again = lambda x: bench.codec.decode(bench.codec.encode(x))
        bounds = judge({'identity': bench.photos, 'VAE only': again(bench.photos), 'colour matching, by folder': reinhard(bench.photos, bench.pictures[1], bench.pictures[0]),
                        'the painter, again': bench.second, 'truth through the VAE': again(bench.truth)}, bench.photos, bench.truth, bench.pictures[1])
        save('variants', dict(settings, runs=runs, bounds=bounds))
        for name in a.names or VARIANTS:
            if name in runs: continue
            runs[name] = bench.run(VARIANTS[name], (0., .9, .999) if name == 'uniform times' else ())
            print(name, f"{runs[name]['parameters']} parameters, {runs[name]['seconds_a_step']:.3f} s a step", score_table(runs[name]['rows']), sep='\n', flush=True)
            save('variants', dict(settings, runs=runs, bounds=bounds))


if __name__ == '__main__': main()

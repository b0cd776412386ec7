"""Make the translator that comes with the package from a demo's checkpoint: averaged weights, configuration and statistics only.

    otcfm_demo --epochs 48 --pictures 3500 --out demo && python scripts/embed_demo.py demo

That is 9,984 steps, an hour or so on two cores. How it translates (anchor, guidance) is what the preset says on the day of embedding.
"""
import argparse, io
from pathlib import Path
import torch
import otcfm_nb
from otcfm_nb.commands import atomic_write
from otcfm_nb.config import Config, preset
from otcfm_nb.checkpoints import newest

NOTICE = """The weights in this folder were trained by otcfm_demo on the procedural scenes of chapters 33 and 34, through the VAE in ../taef2,
and are part of otcfm_nb (Apache-2.0). scripts/embed_demo.py put them here.
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('folder', help='folder that otcfm_demo wrote')
    path, saved = newest(Path(parser.parse_args().folder)/'checkpoints')
    cfg, plain = Config.model_validate(saved['config']), Config()
    cfg.data.raw_data_root, cfg.data.data_root, cfg.checkpoint.save_dir = plain.data.raw_data_root, plain.data.data_root, plain.checkpoint.save_dir
    cfg.data.anchor, cfg.data.cfg_scale = preset('demo').data.anchor, preset('demo').data.cfg_scale
    keep = {k: saved[k] for k in ('format', 'step', 'epoch', 'vae', 'latents', 'whitening', 'palette')}
    out = Path(otcfm_nb.__file__).parent/'assets'/'demo'/'translator.pt'
    out.parent.mkdir(exist_ok=True)
    data = io.BytesIO(); torch.save(keep | dict(config=cfg.model_dump(), ema=dict(weights=saved['ema']['weights'])), data)
    atomic_write(out, lambda f: f.write(data.getvalue()))
    (out.parent/'NOTICE').write_text(NOTICE)
    print(f"{path}, step {saved['step']}: {out}, {out.stat().st_size/2**20:.1f} MB")


if __name__ == '__main__': main()

"""Writes otcfm_nb/assets/taef2: TAEF2 as a folder that diffusers' own loader reads, from its author's two files.

    python scripts/embed_taef2.py FOLDER     (with taef2_encoder.pth, taef2_decoder.pth, LICENSE, of github.com/madebyollin/taesd, commit 5cccb12)

The weights are copied bit for bit, in fp16 as they are; only their names change (chapter 30_taef2).
"""
import argparse, shutil
from pathlib import Path
import torch
from train_vae import write
from otcfm_nb.taef2 import AutoencoderTinyMidGN, taef2_path

NOTICE = """TAEF2, a tiny autoencoder after that of FLUX.2: copyright (c) 2023 Ollin Boer Bohan, MIT (LICENSE beside this file).
Taken from https://github.com/madebyollin/taesd, commit 5cccb12, files taef2_encoder.pth and taef2_decoder.pth; weights unchanged,
names changed to those of diffusers by scripts/embed_taef2.py.
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('folder')
    here, out = Path(parser.parse_args().folder), taef2_path()
    vae, weights = AutoencoderTinyMidGN().half(), {}
    for half, shift in (('encoder', 0), ('decoder', 1)):      # the author counts the decoder's clamp as a layer
        for name, w in torch.load(here/f'taef2_{half}.pth', weights_only=True).items():
            i, rest = name.split('.', 1)
            weights[f'{half}.layers.{int(i)-shift}.{rest}'] = w
    vae.load_state_dict(weights)
    write(vae, out)
    shutil.copyfile(here/'LICENSE', out/'LICENSE')
    (out/'NOTICE').write_text(NOTICE)


if __name__ == '__main__': main()

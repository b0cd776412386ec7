"""Trains the embedded VAE on a CPU and writes otcfm_nb/assets/vae (AutoencoderTiny, ×8, 4 channels, fp16, NOTICE, sources.tsv).

    apt-get download endless-sky-data lomiri-wallpapers-20.04 ukui-wallpapers
    for p in *.deb; do dpkg -x $p unpacked/${p%%_*}; done
    pip install -e '.[dev]' scikit-image scikit-learn
    python scripts/train_vae.py --photos unpacked --minutes 60 --held_out ../shared/data/style_0

Pictures: photographs of those three Debian packages and of scikit-image and scikit-learn, and scenes of chapters 33 and 34 with a seed
of their own. Photographs whose name occurs in --held_out are left out. Licences are read from the packages' copyright files.
"""
import argparse, fnmatch, json, math, random, re, time
from pathlib import Path
import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderTiny
from diffusers.training_utils import EMAModel
from PIL import Image, ImageDraw
from otcfm_nb.data import list_images, read_image
from otcfm_nb.painter import write_styles

# No photographs, or hardly any picture in them: space, drawings, engines.
NO_PHOTOS = re.compile(r'^(nasa|space|station|earthrise|lava)')
NOTICE = """The weights in this folder were trained from scratch by scripts/train_vae.py and scripts/train_decoder.py of otcfm_nb and are part of it (Apache-2.0).
They were trained on the photographs listed in sources.tsv, each under the licence given there (of Debian packages: what their
copyright file says of that file; of scikit-image and scikit-learn: what their own notes say), and on procedural scenes of
chapters 33 and 34. No picture, nor a part of one, is in this folder. Thanks to the photographers.
"""
# By name, the licence that the docstring of the function of that name in skimage.data, or scikit-learn's README.txt beside the file, gives.
SKIMAGE = {'coffee.png': 'CC0 (Rachel Michetti)', 'astronaut.png': 'public-domain (NASA)', 'chelsea.png': 'CC0 (Stefan van der Walt)', 'rocket.jpg': 'public-domain (SpaceX)',
           'motorcycle_left.png': 'none given (Middlebury Stereo 2014, Scharstein et al.)', 'brick.png': 'CC0 (CC0Textures)', 'gravel.png': 'CC0 (CC0Textures)', 'grass.png': 'CC0 (linolafett)'}
SKLEARN = {'china.jpg': 'CC-BY-2.0 (danielbuechele)', 'flower.jpg': 'CC-BY-2.0 (vultilion)'}


def licence_of(path, copyright_text):
    "Licence of the last matching Files: paragraph of a Debian copyright file (its rule: the last one counts)."
    best, name = 'see the package', str(path)
    for block in copyright_text.split('\n\n'):
        files, licence = re.search(r'^Files:(.*?)(?=^\S)', block, re.M | re.S), re.search(r'^License: *(\S+)', block, re.M)
        if files and licence and any(fnmatch.fnmatch(name, f'*{p}') or Path(p).name==path.name for p in files[1].split()): best = licence[1]
    return best


def debian_photos(unpacked, held_out):
    "(path, source, licence) of every photograph of the unpacked packages that is not held out."
    for package in sorted(p for p in Path(unpacked).iterdir() if p.is_dir()):
        if not (notes := list(package.glob('usr/share/doc/*/copyright'))): continue
        text, name = notes[0].read_text(), notes[0].parent.name
        for p in sorted(package.rglob('*.jpg')):
            if name=='endless-sky-data' and p.parent.name!='land' or NO_PHOTOS.match(p.name): continue
            if not any(h.endswith('_'+p.name.lower()) for h in held_out): yield p, name, licence_of(p, text)


def package_photos():
    "Photographs that scikit-image and scikit-learn ship."
    import skimage.data, sklearn.datasets
    for name, licence in SKIMAGE.items(): yield Path(skimage.data.__file__).parent/name, 'scikit-image', licence
    for name, licence in SKLEARN.items(): yield Path(sklearn.datasets.__file__).parent/'images'/name, 'scikit-learn', licence


def load_photos(found, side=400):
    "Photographs with their short side scaled down to `side`, as uint8."
    out = []
    for p, *_ in found:
        img = read_image(p)
        f = side/min(img.size)
        if f < 1: img = img.resize((round(img.width*f), round(img.height*f)), Image.LANCZOS)
        out.append(np.asarray(img))
    return out


def crop(img, size, rng, low, high):
    "A random square of side low..high (log-uniform), flipped by chance, scaled to `size`."
    side = int(min(math.exp(rng.uniform(math.log(low), math.log(high))), *img.shape[:2]))
    y, x = rng.randint(0, img.shape[0]-side), rng.randint(0, img.shape[1]-side)
    a = img[y:y+side, x:x+side]
    if side!=size: a = np.asarray(Image.fromarray(a).resize((size,size), Image.BICUBIC))
    return a[:,::-1] if rng.random()<.5 else a


def jolt(a, rng):
    "Other colours and hard edges, so that the VAE meets more of both than landscapes have: channels mixed up, contrast, a flat shape."
    if rng.random() < .25: a = a[...,rng.sample(range(3), 3)]
    if rng.random() < .35:
        gain, mean = rng.uniform(.6, 1.6), a.mean((0,1))
        a = np.clip((a-mean)*gain+mean+rng.uniform(-40, 40), 0, 255).astype(np.uint8)
    if rng.random() < .2:
        img = Image.fromarray(np.ascontiguousarray(a)); draw = ImageDraw.Draw(img)
        (x0,x1), (y0,y1) = (sorted(rng.sample(range(128), 2)) for _ in range(2))
        getattr(draw, rng.choice(['rectangle','ellipse']))([x0,y0,x1,y1], fill=tuple(rng.randrange(256) for _ in range(3)))
        a = np.asarray(img)
    return a


def batch(photos, scenes, paintings, rng, n, size=128, change=lambda a, rng: a):
    "Half photographs, a quarter scenes photographed, a quarter scenes painted; (n,3,size,size) in [-1,1]."
    pick = lambda i: (crop(rng.choice(photos), size, rng, 100, 400) if i%4 < 2 else
                      crop(rng.choice(scenes if i%4==2 else paintings), size, rng, 128, 128))
    x = torch.from_numpy(np.stack([change(pick(i), rng) for i in range(n)])).permute(0,3,1,2)
    return x.float().div(127.5).sub(1)


def find_photos(unpacked, held_out=None):
    "(path, source, licence) of all photographs, without those whose name occurs in the folder `held_out`."
    held = {p.name.lower() for p in Path(held_out).iterdir()} if held_out else set()
    return list(debian_photos(unpacked, held))+list(package_photos())


def read_pictures(found, work):
    "Photographs, scenes and paintings to train on; and squares of others, 32 photographed, 16 scenes, 16 paintings. Scenes are kept in `work`."
    if not work.exists(): write_styles(work, 900, size=128, seed=77)
    scenes, paintings = ([np.asarray(Image.open(p)) for p in list_images(work/f'style_{k}')] for k in (0,1))
    photos = load_photos(found)
    x = batch(photos[::9], scenes[-40:], paintings[-40:], random.Random(1), 64)
    test = [x[[i for i in range(64) if i%4 in k]] for k in ((0,1),(2,),(3,))]
    return ([p for i,p in enumerate(photos) if i%9], scenes[:-40], paintings[:-40]), test


def new_vae():
    "AutoencoderTiny on 4×4 patches: pixel_unshuffle(4) gives 48 channels, one halving more makes ×8."
    return AutoencoderTiny(in_channels=48, out_channels=48, encoder_block_out_channels=(80,80), decoder_block_out_channels=(80,80),
                           num_encoder_blocks=(1,4), num_decoder_blocks=(4,2), latent_channels=4, force_upcast=False)


def losses(vae, x, noise):
    "Squared error, the same on 8×8 means, its gradient's, and how far latents are from mean 0 and variance 1."
    z = vae.encode(F.pixel_unshuffle(x, 4)).latents
    y = F.pixel_shuffle(vae.decode(z+noise*torch.randn_like(z)).sample, 4)
    d = y-x
    grad = d.diff(dim=-1).abs().mean()+d.diff(dim=-2).abs().mean()
    mean, var = z.mean((0,2,3)), z.var((0,2,3))
    unit = mean.square().mean()+(var.clamp(min=1e-6).log()).square().mean()
    return d.square().mean() + 2*F.avg_pool2d(d, 8).square().mean() + .05*d.abs().mean() + .05*grad + .02*unit, d.square().mean()


@torch.no_grad()
def psnr(vae, x):
    "Mean of the pictures' PSNR in dB after a round trip, range 2."
    y = F.pixel_shuffle(vae.decode(vae.encode(F.pixel_unshuffle(x, 4)).latents).sample, 4).clamp(-1, 1)
    return (10*torch.log10(4/(y-x).square().mean((1,2,3)))).mean().item()


def write(half, out):
    "A VAE in fp16 in diffusers' own format."
    half.save_pretrained(out)
    config = json.loads((out/'config.json').read_text())
    for key in ('block_out_channels', '_name_or_path'): config.pop(key, None)   # diffusers warns of the first; the second is a path of this machine
    (out/'config.json').write_text(json.dumps(config, indent=2)+'\n')
    (out/'diffusion_pytorch_model.safetensors').chmod(0o644)


def save(vae, ema, out):
    "The averaged weights as fp16."
    ema.store(vae.parameters()); ema.copy_to(vae.parameters())
    half = AutoencoderTiny.from_config(vae.config); half.load_state_dict(vae.state_dict()); write(half.half(), out)
    ema.restore(vae.parameters())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--photos', required=True, help='folder of unpacked Debian packages')
    parser.add_argument('--held_out', help='folder whose photographs must not be used')
    parser.add_argument('--out', default='otcfm_nb/assets/vae')
    parser.add_argument('--work', default='vae_training', help='scenes are kept here')
    parser.add_argument('--minutes', type=float, default=60)
    parser.add_argument('--batch_size', type=int, default=16)
    parser.add_argument('--lr', type=float, default=1.5e-3)
    parser.add_argument('--start', help='go on from this VAE')
    a = parser.parse_args()
    torch.manual_seed(0); rng = random.Random(0)
    found, out = find_photos(a.photos, a.held_out), Path(a.out)
    (photos, scenes, paintings), test = read_pictures(found, Path(a.work))
    print(f'{len(photos)} photographs, {len(scenes)} scenes, {len(paintings)} paintings', flush=True)
    vae = AutoencoderTiny.from_pretrained(a.start).float() if a.start else new_vae()
    vae = vae.to(memory_format=torch.channels_last).train()
    ema = EMAModel(vae.parameters(), decay=.999)
    opt = torch.optim.AdamW(vae.parameters(), lr=a.lr, betas=(.9,.99), weight_decay=1e-4)
    print(f'{sum(p.numel() for p in vae.parameters())/1e6:.2f} M parameters', flush=True)
    out.mkdir(parents=True, exist_ok=True)
    (out/'NOTICE').write_text(NOTICE)
    (out/'sources.tsv').write_text('file\tsource\tlicence\n'+''.join(f'{p.name}\t{s}\t{l}\n' for p,s,l in found))
    start, step, mean, saved = time.time(), 0, 0., time.time()
    while (used := (time.time()-start)/(60*a.minutes)) < 1:
        lr = a.lr*min(1, (step+1)/100)*(.5+.5*math.cos(math.pi*used))
        for g in opt.param_groups: g['lr'] = lr
        loss, mse = losses(vae, batch(photos, scenes, paintings, rng, a.batch_size, change=jolt).contiguous(memory_format=torch.channels_last), .03)
        opt.zero_grad(); loss.backward()
        torch.nn.utils.clip_grad_norm_(vae.parameters(), 1.)
        opt.step(); ema.step(vae.parameters()); step += 1
        mean = mse.item() if step==1 else .98*mean+.02*mse.item()
        if step%100==0:
            ema.store(vae.parameters()); ema.copy_to(vae.parameters())
            kinds = [psnr(vae, x) for x in test]
            ema.restore(vae.parameters())
            print(f'{(time.time()-start)/60:5.1f} min, step {step}, {10*math.log10(4/mean):.2f} dB training; unseen photographs '
                  f'{kinds[0]:.2f}, scenes {kinds[1]:.2f}, paintings {kinds[2]:.2f} dB', flush=True)
        if time.time()-saved > 240: save(vae, ema, out); saved = time.time()
    save(vae, ema, out)


if __name__ == '__main__': main()

"""Second edition of the embedded VAE: goes on with the decoder alone, so that strokes and grain survive. Latents stay what they are.

    (pictures as in train_vae.py)
    python scripts/train_decoder.py --photos unpacked --held_out ../shared/data/style_0 --start FIRST_EDITION --out otcfm_nb/assets/vae

Squared error makes a decoder paint the mean of all textures that could have been: smooth. Here the decoder, with one block more,
also has to please a critic of patches (Isola et al. 2017; hinge loss) that sees latents and
8×8 means beside the picture, to meet its features of the true picture (Wang et al. 2018), and to have the truth's amplitude of fine and of coarse
strokes in each window (chapter 42). Gradients meet at the picture, the critic's scaled to the norm of the reconstruction's (after Esser et al. 2021).
The weights written are the average ones, --mix of the way from the first edition's decoder to the new one
(interpolation of networks, Wang et al. 2018, ESRGAN). The one in the package took 30 minutes on two cores, with other work beside it.
In the package's history, the first edition is that of commit 1dca68c.
"""
import argparse, random, time
from pathlib import Path
import torch
import torch.nn as nn
import torch.nn.functional as F
from diffusers import AutoencoderTiny
from diffusers.training_utils import EMAModel
from train_vae import batch, find_photos, jolt, read_pictures, save
from otcfm_nb.metrics import band_power, psnr, stroke_energy


def wider(old, blocks=(4,3)):
    "The same VAE with more decoder blocks, born as identities, so that it decodes as before."
    new = AutoencoderTiny.from_config({**old.config, 'num_decoder_blocks': blocks}).float()
    new.encoder.load_state_dict(old.encoder.state_dict())
    source, had = list(old.decoder.layers), old.config.num_decoder_blocks
    at = 2+had[0]+2+had[1]   # first convolution and its activation; blocks; up-sampling and its convolution; blocks
    source[at:at] = [None]*(blocks[1]-had[1])
    for a,b in zip(new.decoder.layers, source, strict=True):
        if b is not None: a.load_state_dict(b.state_dict())
        else: nn.init.zeros_(a.conv[-1].weight); nn.init.zeros_(a.conv[-1].bias)
    return new


class Critic(nn.Module):
    "Scores of overlapping patches of about 46 pixels, and the features on the way; it sees the true 8×8 means, and what the picture has beyond them, magnified."
    def __init__(self, width=48):
        super().__init__()
        sizes, kinds = (10, width, 2*width, 3*width, 3*width), ((4,2), (4,2), (4,2), (3,1))
        self.layers = nn.ModuleList([nn.Conv2d(a, b, k, s, 1) for a,b,(k,s) in zip(sizes, sizes[1:], kinds)])
        self.head = nn.Conv2d(sizes[-1], 1, 3, 1, 1)

    def forward(self, x, coarse, z):
        h, features = torch.cat([4*(x-coarse), coarse, F.interpolate(z, scale_factor=8)], 1).contiguous(memory_format=torch.channels_last), []
        for layer in self.layers: h = F.leaky_relu(layer(h), .2); features.append(h)
        return self.head(h), features


def coarse(x):
    return F.interpolate(F.avg_pool2d(x, 8), scale_factor=8, mode='bilinear')


def reconstruction(y, x):
    "Squared error of pixels, of 4×4 means and of 8×8 means: colours of places count more than grain."
    d = y-x
    return .05*d.square().mean()+F.avg_pool2d(d, 4).square().mean()+4*F.avg_pool2d(d, 8).square().mean()


def band(y, x):
    "How far the amplitude of fine and of coarse strokes is off, window by window, in parts of its mean."
    out = 0
    for width in ((1,2), (2,4)):
        a, b = ((band_power(p, *width)+1e-4).sqrt() for p in (y, x))
        out = out + (a-b).abs().mean()/b.mean() + .2*(a/b).log().abs().mean()
    return out


def steepness(critic, x, means, z):
    "Squared gradient of the score at true pictures, which keeps the critic smooth (R1, Mescheder et al. 2018)."
    x = x.detach().requires_grad_()
    g, = torch.autograd.grad(critic(x, means, z)[0].mean((1,2,3)).sum(), x, create_graph=True)
    return g.square().sum((1,2,3)).mean()


def decode(vae, z):
    return F.pixel_shuffle(vae.decode(z).sample, 4)


@torch.no_grad()
def report(vae, test):
    "PSNR and stroke energy on unseen photographs, scenes and paintings."
    out = []
    for x in test:
        y = decode(vae, vae.encode(F.pixel_unshuffle(x, 4)).latents).clamp(-1, 1)
        out.append(f'{psnr(y, x).item():.2f} dB {stroke_energy(y, x):.2f}')
    return ' | '.join(out)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--photos', required=True, help='folder of unpacked Debian packages')
    parser.add_argument('--held_out', help='folder whose photographs must not be used')
    parser.add_argument('--start', default='otcfm_nb/assets/vae', help='the first edition')
    parser.add_argument('--out', default='vae2')
    parser.add_argument('--work', default='vae_training', help='scenes are kept here')
    parser.add_argument('--minutes', type=float, default=30)
    parser.add_argument('--batch_size', type=int, default=12)
    parser.add_argument('--crop', type=int, default=64, help='side of the squares that the critic sees')
    parser.add_argument('--lr', type=float, default=5e-4)
    parser.add_argument('--critic', type=float, default=3., help="norm of the critic's gradient, the reconstruction's being 1")
    parser.add_argument('--features', type=float, default=.05, help='the same for features')
    parser.add_argument('--band', type=float, default=2., help='the same for band power')
    parser.add_argument('--penalty', type=float, default=.01, help='on the steepness of the critic')
    parser.add_argument('--mix', type=float, nargs='+', default=[.85], help='how far to go from the first decoder to the new one')
    a = parser.parse_args()
    torch.manual_seed(0); rng = random.Random(0)
    (photos, scenes, paintings), test = read_pictures(find_photos(a.photos, a.held_out), Path(a.work))
    old = AutoencoderTiny.from_pretrained(a.start).float()
    vae = wider(old).to(memory_format=torch.channels_last)
    first = {k: v.clone() for k,v in vae.decoder.state_dict().items()}
    vae.encoder.requires_grad_(False)
    critic = Critic().to(memory_format=torch.channels_last)
    ema = EMAModel(vae.parameters(), decay=.999)
    opt = torch.optim.AdamW(vae.decoder.parameters(), lr=a.lr, betas=(.5,.99), weight_decay=0.)
    opt_c = torch.optim.AdamW(critic.parameters(), lr=2*a.lr, betas=(.5,.99), weight_decay=0.)
    print(f'{len(photos)} photographs; VAE {sum(p.numel() for p in vae.parameters())/1e6:.2f} M, critic {sum(p.numel() for p in critic.parameters())/1e6:.2f} M parameters', flush=True)
    print('first edition:', report(old, test), '; as it starts:', report(vae, test), flush=True)
    start, step, norms = time.time(), 0, {}
    Path(a.out).mkdir(parents=True, exist_ok=True)
    while (used := (time.time()-start)/(60*a.minutes)) < 1:
        rate = min(1, (step+1)/100)*min(1, 2*(1-used))
        for o,lr in ((opt,a.lr),(opt_c,2*a.lr)):
            for g in o.param_groups: g['lr'] = lr*rate
        x = batch(photos, scenes, paintings, rng, a.batch_size, change=jolt)
        top, left = (rng.randrange(0, 128-a.crop+1) for _ in range(2))
        x = x[:,:,top:top+a.crop,left:left+a.crop].contiguous(memory_format=torch.channels_last)
        with torch.no_grad(): z = vae.encode(F.pixel_unshuffle(x, 4)).latents
        y, means = decode(vae, z+.05*torch.randn_like(z)), coarse(x)
        fake = y.detach().requires_grad_()
        real_score, real_features = critic(x, means, z)
        fake_score, features = critic(fake, means, z)
        # the picture's gradient of each part; the critic's own weights get theirs from its own loss below
        parts = dict(reconstruction=(1., reconstruction(fake, x)), band=(a.band, band(fake, x)), critic=(a.critic, -fake_score.mean()),
                     features=(a.features, sum((f-r.detach()).abs().mean() for f,r in zip(features, real_features))))
        total = 0
        for k,(w,loss) in parts.items():
            g, = torch.autograd.grad(loss, fake, retain_graph=True)
            norms[k] = .98*norms[k]+.02*g.norm().item() if k in norms else g.norm().item()
            total = total + w*g*norms['reconstruction']/norms[k]
        y.backward(total)
        torch.nn.utils.clip_grad_norm_(vae.decoder.parameters(), 1.)
        opt.step(); opt.zero_grad(); ema.step(vae.parameters())
        loss_c = F.relu(1-real_score).mean()+F.relu(1+fake_score).mean()
        critic.zero_grad(); loss_c.backward()
        if step%16==0: (16*a.penalty*steepness(critic, x, means, z)).backward()
        opt_c.step()
        step += 1
        if step%250==0:
            ema.store(vae.parameters()); ema.copy_to(vae.parameters())
            print(f'{(time.time()-start)/60:5.1f} min, step {step}, critic {loss_c.item():.2f}, {dict((k,round(v,5)) for k,v in norms.items())}: {report(vae, test)}', flush=True)
            ema.restore(vae.parameters())
        if step%2000==0: save(vae, ema, Path(a.out))
    ema.copy_to(vae.parameters())
    last = {k: v.clone() for k,v in vae.decoder.state_dict().items()}
    for mix in a.mix:
        vae.decoder.load_state_dict({k: first[k]+mix*(v-first[k]) for k,v in last.items()})
        print(f'mix {mix:g}:', report(vae, test), flush=True)
        out = Path(a.out)/f'mix{mix:g}' if len(a.mix)>1 else Path(a.out)
        out.mkdir(parents=True, exist_ok=True)
        save(vae, EMAModel(vae.parameters()), out)


if __name__ == '__main__': main()

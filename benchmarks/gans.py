"""Two adversarial translators of latents, the opponents in benchmarks/baselines.py: CycleGAN and CUT, written after the papers.

CycleGAN: Zhu et al. 2017 (arXiv 1703.10593); losses and settings as in github.com/junyanz/pytorch-CycleGAN-and-pix2pix
(models/cycle_gan_model.py, models/networks.py, util/image_pool.py, options/train_options.py): least squares, cycle 10, identity 5,
Adam 2e-4 with betas (.5,.999), constant for half of the time and then falling to 0, a history of 50 translations.
CUT: Park et al. 2020 (arXiv 2007.15651); as in github.com/taesungp/contrastive-unpaired-translation (models/cut_model.py,
models/patchnce.py): one generator, PatchNCE in five layers of its first half and for the identity too, temperature .07,
negatives from the same picture only, heads of two layers with 256 units, no history. Generators have six blocks, as theirs for
pictures of 128 pixels, and are as wide as the number of parameters says.

What is other than there, because latents of 16×16 are no photographs of 256×256: no down-sampling, no tanh; a discriminator
that sees 9×9 latents (72 pixels; theirs sees 70); no norm after a generator's stem, and one over all channels together in the
discriminators, since instance norm would take a picture's colours from both; no mirrored pictures (ours sees none either, as
latents of mirrored pictures are others); 64 positions a layer for PatchNCE (theirs: 256 of a larger picture); batches of 4
(theirs: 1); torch's initial weights (deviation .024 in the middle layers of CycleGAN's generators, theirs .02).
A generator that adds to its input was tried and dropped: it stays the identity, which has no cycle and no identity loss.

    python benchmarks/gans.py     a minute of training on toys whose truth is known: do both move from the source to the target?
"""
import time
import torch
import torch.nn as nn
import torch.nn.functional as F


class Block(nn.Module):
    "Two convolutions with instance norm beside a skip."
    def __init__(self, width):
        super().__init__()
        look = lambda: nn.Conv2d(width, width, 3, padding=1, padding_mode='reflect')
        self.path = nn.Sequential(look(), nn.InstanceNorm2d(width), nn.ReLU(), look(), nn.InstanceNorm2d(width))

    def forward(self, x): return x + self.path(x)


class Generator(nn.Module):
    "A ResNet at one resolution with about so many parameters."
    def __init__(self, channels, parameters, blocks=6):
        super().__init__()
        width = round((parameters/(18*blocks))**.5)
        look = lambda a, b: nn.Conv2d(a, b, 3, padding=1, padding_mode='reflect')
        self.stem, self.head = look(channels, width), look(width, channels)
        self.blocks = nn.ModuleList(Block(width) for _ in range(blocks))

    def features(self, x, depth=None):
        "The input, the stem's output, and those of the blocks."
        found = [x, F.relu(self.stem(x))]
        for block in self.blocks[:depth]: found.append(block(found[-1]))
        return found

    def forward(self, x): return self.head(self.features(x)[-1])


def discriminator(channels, width=64):
    "Says for every patch of 9×9 latents how real it is."
    look = lambda a, b: nn.Conv2d(a, b, 3, padding=1)
    step = lambda a, b: [look(a, b), nn.GroupNorm(1, b), nn.LeakyReLU(.2)]
    return nn.Sequential(look(channels, width), nn.LeakyReLU(.2), *step(width, 2*width), *step(2*width, 2*width), look(2*width, 1))


def count(*modules): return sum(p.numel() for m in modules for p in m.parameters())
def lsgan(said, real): return (said-real).square().mean()
def l1(a, b): return (a-b).abs().mean()
def adam(*modules): return torch.optim.Adam([p for m in modules for p in m.parameters()], 2e-4, (.5, .999))


def learn(optimiser, loss):
    optimiser.zero_grad(set_to_none=True); loss.backward(); optimiser.step()


def frozen(*modules, still=True):
    "Without gradients of their own while another network learns from them."
    for m in modules: m.requires_grad_(not still)


class History:
    "Half of what a discriminator is shown comes from here, once there are 50 (Shrivastava et al. 2017)."
    def __init__(self, size=50): self.size, self.kept = size, []

    def __call__(self, pictures, g):
        shown = []
        for x in pictures.detach():
            if len(self.kept) < self.size: self.kept.append(x)
            elif torch.rand((), generator=g) < .5:
                i = torch.randint(self.size, (), generator=g).item()
                x, self.kept[i] = self.kept[i], x
            shown.append(x)
        return torch.stack(shown)


class CycleGAN:
    "Two generators and two discriminators; the generators have `parameters` together."
    def __init__(self, channels, parameters, identity=5):
        self.weight = identity
        self.to_b, self.to_a = (Generator(channels, parameters/2) for _ in range(2))
        self.judge_b, self.judge_a = (discriminator(channels) for _ in range(2))
        self.optimisers = self.making, self.judging = adam(self.to_b, self.to_a), adam(self.judge_b, self.judge_a)
        self.old_b, self.old_a = History(), History()
        self.parameters, self.helpers = count(self.to_b, self.to_a), count(self.judge_b, self.judge_a)

    def step(self, a, b, g):
        frozen(self.judge_b, self.judge_a)
        both = lambda net, x, y: net(torch.cat([x, y])).chunk(2) if self.weight else (net(x), y)   # pictures do not see one another
        (fake_b, same_b), (fake_a, same_a) = both(self.to_b, a, b), both(self.to_a, b, a)
        gan = lsgan(self.judge_b(fake_b), 1)+lsgan(self.judge_a(fake_a), 1)
        cycle = 10*(l1(self.to_a(fake_b), a)+l1(self.to_b(fake_a), b))
        identity = self.weight*(l1(same_b, b)+l1(same_a, a))
        learn(self.making, gan+cycle+identity)
        frozen(self.judge_b, self.judge_a, still=False)
        shown_b, shown_a = self.old_b(fake_b, g), self.old_a(fake_a, g)
        judged = lambda judge, real, fake: (lsgan(judge(real), 1)+lsgan(judge(fake), 0))/2
        judging = judged(self.judge_b, b, shown_b)+judged(self.judge_a, a, shown_a)
        learn(self.judging, judging)
        return dict(gan=gan, cycle=cycle, identity=identity, judging=judging)


class CUT:
    "One generator with all `parameters`, one discriminator, and heads that compare patches."
    def __init__(self, channels, parameters, patches=64, temperature=.07):
        self.to_b, self.judge_b, self.patches, self.temperature = Generator(channels, parameters), discriminator(channels), patches, temperature
        self.depth = len(self.to_b.blocks)//2
        self.layers = [0, 1, 2, 1+(self.depth+1)//2, 1+self.depth]     # input, stem, blocks up to the middle
        width = lambda layer: self.to_b.stem.out_channels if layer else channels
        self.heads = nn.ModuleList(nn.Sequential(nn.Linear(width(l), 256), nn.ReLU(), nn.Linear(256, 256)) for l in self.layers)
        self.optimisers = self.making, self.judging = adam(self.to_b, self.heads), adam(self.judge_b)
        self.parameters, self.helpers = count(self.to_b), count(self.judge_b, self.heads)

    def seen(self, x, places):
        "Unit vectors (B,P,256) of these places, layer by layer."
        found = self.to_b.features(x, self.depth)
        return [F.normalize(head(found[l].flatten(2)[:,:,p].mT), dim=-1) for l, head, p in zip(self.layers, self.heads, places)]

    def nce(self, source, made, g):
        "Each place of what was made must be told from the source's other places (Park et al. 2020, eq. 3)."
        places = [torch.randperm(source.shape[-2:].numel(), generator=g)[:self.patches] for _ in self.layers]
        with torch.no_grad(): keys = self.seen(source, places)
        losses = []
        for q, k in zip(self.seen(made, places), keys):
            alike = (q@k.mT/self.temperature).flatten(0, 1)
            losses.append(F.cross_entropy(alike, torch.arange(q.shape[1]).repeat(len(q))))
        return sum(losses)/len(losses)

    def step(self, a, b, g):
        fake, same = self.to_b(torch.cat([a, b])).chunk(2)
        judging = (lsgan(self.judge_b(b), 1)+lsgan(self.judge_b(fake.detach()), 0))/2
        learn(self.judging, judging)
        frozen(self.judge_b)
        gan, nce = lsgan(self.judge_b(fake), 1), (self.nce(a, fake, g)+self.nce(b, same, g))/2
        learn(self.making, gan+nce)
        frozen(self.judge_b, still=False)
        return dict(gan=gan, nce=nce, judging=judging)


def build(kind, channels, parameters, seed, **more):
    "A new one; the seed decides the weights, and the caller's global generator is left as it was."
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return kind(channels, parameters, **more)


def train(gan, a, b, g, seconds=None, steps=None, batch=4):
    "Train on latents of both styles for so long or so many steps; how many, how long, and the mean losses of the last tenth."
    start, losses = time.monotonic(), []
    while (part := len(losses)/steps if steps else (time.monotonic()-start)/seconds) < 1:
        for optimiser in gan.optimisers: optimiser.param_groups[0]['lr'] = 2e-4*min(1, 2-2*part)
        pick = lambda z: z[torch.randint(len(z), (batch,), generator=g)]
        losses.append({k: v.item() for k, v in gan.step(pick(a), pick(b), g).items()})
    last = losses[-max(1, len(losses)//10):]
    return dict(steps=len(losses), seconds=time.monotonic()-start, last_losses={k: sum(l[k] for l in last)/len(last) for k in last[0]})


def toy(n, g):
    "Smooth fields, and the same in another style: level 1 everywhere, half the contrast in one channel, a texture in another."
    a = F.interpolate(torch.randn(n, 4, 4, 4, generator=g), size=8, mode='bilinear')
    b, board = a+1, (-1.)**(torch.arange(8)[:,None]+torch.arange(8))
    b[:,1], b[:,0] = a[:,1]/2+1, b[:,0]+.8*board
    return a, b, board


def check(seconds=30):
    "Train both on toys; tell how far level, contrast and texture went from the source's (0) to the target's (1)."
    g = torch.Generator().manual_seed(0)
    (a, _, _), (_, b, _), (test, truth, board) = (toy(n, g) for n in (256, 256, 64))
    told = dict(level=lambda x: x.mean(), contrast=lambda x: x[:,1].std(), texture=lambda x: (x[:,0]*board).mean())
    for kind in (CycleGAN, CUT):
        gan = build(kind, 4, 60000, 0)
        cost = train(gan, a, b, g, seconds)
        with torch.no_grad(): made = gan.to_b(test)
        way = {k: ((f(made)-f(test))/(f(truth)-f(test))).item() for k, f in told.items()}
        near, far = ((x-truth).square().mean().sqrt().item() for x in (made, test))
        print(f'{kind.__name__}: {cost["steps"]} steps; way gone', {k: round(v, 2) for k, v in way.items()}, f'; off the truth by {near:.2f}, the source by {far:.2f}', flush=True)


if __name__ == '__main__': check()

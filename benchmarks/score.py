"""Your own translations against your own two folders, beside what cheats score: chapter 44's judges, which need no truth.

    python benchmarks/score.py MADE SOURCE STYLE [--size 256] [--most 200] [--inception WEIGHTS.pth]

MADE: translations, named like their sources in SOURCE, as `otcfm_inference --input SOURCE --output MADE` writes them.
STYLE: pictures of the style that was wanted, best such as were not trained on. Of every picture the middle square, scaled to --size, is
judged: strokes are compared as wide as they are then, so take the size that was trained on.
Every other picture of STYLE is what all rows are compared with; random pairs and colours come from the rest. The last row is the floor:
the distance between halves of STYLE itself, mean and middle 95 % of forty random ones; what lies within that of another row differs by
luck alone. Random pairs are drawn with repetition, so among few pictures theirs is too high. Stroke energy is over the source's.
KID and FID need --inception, the file of weights of torch-fidelity. It is unpickled, so take it from nobody else.
"""
import argparse, os, sys
from pathlib import Path
import torch
from otcfm_nb.commands import UserError, printable, say
from otcfm_nb.data import list_images, read_image
from otcfm_nb.folder_colours import evenly
from otcfm_nb.folders import pair_files
from otcfm_nb.judges import encoder_features, frechet_distance, inception_features, kernel_distance, opponents, picture_features, structure_distance, style_distance
from otcfm_nb.metrics import edge_agreement, score_table, stroke_energy
from otcfm_nb.vae import load_vae, reason
from photographs import squares

FLOOR = 'half of STYLE to half'


def check(a):
    "Refuse what can't be judged before a picture is read."
    if a.size < 32 or a.size%16: raise UserError(f"--size {a.size}: must be a multiple of 16, and 32 or more")
    if a.most < 4: raise UserError(f"--most {a.most}: must be 4 or more")
    for name, folder in (('MADE', a.made), ('SOURCE', a.source), ('STYLE', a.style)):
        if not (folder.is_dir() and list_images(folder)): raise UserError(f"{folder}: no folder of pictures: give one as {name}")
    if len({os.path.realpath(p) for p in (a.made, a.source, a.style)}) < 3: raise UserError("MADE, SOURCE and STYLE: two of them are one folder: give three")


def pairs_of(a):
    "Sources and what was made of them, (N,3,size,size) each."
    pairs = evenly([(s, m) for s, m in pair_files(a.source, a.made) if m.is_file()], a.most)
    if len(pairs) < 2: raise UserError(f"{a.made}: {len(pairs)} of its pictures are named like one of {a.source}, 2 or more are needed: make them with otcfm_inference --input {a.source} --output {a.made}")
    for _, m in pairs:
        if (least := min(read_image(m).size)) < a.size: raise UserError(f"{m}: its short side has {least} pixels, fewer than --size {a.size}: give --size {max(32, least//16*16)}, or translate anew with otcfm_inference --size {a.size}")
    return [squares(files, a.size) for files in zip(*pairs)]


def style_of(a):
    "Pictures of the style, (N,3,size,size); one that can't be read, or is too small, is left out with a line."
    found = []
    for p in evenly(list_images(a.style), a.most):
        try:
            if (least := min(read_image(p).size)) < a.size: raise UserError(f"{p}: its short side has {least} pixels, fewer than --size {a.size}")
            found.append(squares([p], a.size))
        except UserError as e: print(printable(f"skipped: {e}"))
    if len(found) < 4: raise UserError(f"{a.style}: {len(found)} of its pictures can be read and have {a.size} pixels or more, 4 or more are needed: add some, or give a smaller --size")
    return torch.cat(found)


def candidates(made, source, rest):
    "What ours is held against, in parts to spare memory, and ours."
    codec, g = load_vae('taef2'), torch.Generator().manual_seed(0)
    parts = [opponents(part, source, rest, codec, g) for part in source.split(32)]
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]} | {'ours': made}


def halvings(distance, features, n=40):
    "Of a distance between random halves: mean, and where the middle 95 % lie."
    g = torch.Generator().manual_seed(0)
    drawn = torch.tensor([distance(*features[torch.randperm(len(features), generator=g)].chunk(2)) for _ in range(n)])
    return drawn.mean().item(), *(drawn.quantile(q).item() for q in (.025, .975))


def by_sets(name, features, distance, found, style):
    "One column: distance of each row's pictures to the first half of STYLE, and the floor."
    of = features(style)
    return {row: {name: distance(features(x), of[::2])} for row, x in found.items()} | {FLOOR: {name: halvings(distance, of)}}


def by_inception(found, style, weights):
    "Columns KID and FID, or none and a line that says why."
    try:
        if not weights: raise UserError('they need --inception WEIGHTS.pth, the file of torch-fidelity (chapter 44)')
        seen = {name: inception_features(x, weights) for name, x in (found | {FLOOR: style}).items()}
    except Exception as e:                                     # whatever is wrong with that file
        why = e if isinstance(e, UserError) else f"{weights}: can't be loaded ({reason(e)}): take the file of torch-fidelity"
        print(printable(f"KID and FID are missing: {why}"), end='\n\n')
        return {}
    of = seen.pop(FLOOR)
    return {name: {'KID': kernel_distance(x, of[::2]), 'FID': frechet_distance(x, of[::2])} for name, x in seen.items()} | {FLOOR: {'KID': halvings(kernel_distance, of), 'FID': frechet_distance(of[1::2], of[::2])}}


def judge(found, source, style, weights):
    "The table, row by row."
    filters = lambda x: torch.cat([picture_features(part) for part in x.split(32)])
    columns = [by_sets('encoder distance', encoder_features, style_distance, found, style), by_sets('kernel distance', filters, kernel_distance, found, style),
               {name: {'structure distance': structure_distance(x, source), 'edges kept': edge_agreement(x, source)} for name, x in found.items()},
               {name: {'stroke energy': stroke_energy(x, source)} for name, x in (found | {FLOOR: style}).items()}, by_inception(found, style, weights)]
    return {name: {k: v for column in columns for k, v in column.get(name, {}).items()} for name in [*found, FLOOR]}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.error = lambda message: parser.exit(1, f"error: {message}. See --help\n")
    for name, what in (('made', 'folder of translations'), ('source', 'folder of what they were made from'), ('style', 'folder of pictures of the style that was wanted')): parser.add_argument(name, type=Path, help=what)
    parser.add_argument('--size', type=int, default=256, help='side of the squares that are judged, a multiple of 16')
    parser.add_argument('--most', type=int, default=200, help='pictures of each folder, taken evenly')
    parser.add_argument('--inception', type=Path, help="file of weights of torch-fidelity's Inception, for KID and FID")
    a = parser.parse_args()
    check(a)
    (source, made), style = pairs_of(a), style_of(a)
    print(f"{len(made)} translations, {len(style)} pictures of the style, {a.size} px\n")
    print(score_table(judge(candidates(made, source, style[1::2]), source, style, a.inception)))


if __name__ == '__main__':
    try: main()
    except (UserError, OSError) as e: sys.exit(say(f"error: {e}", 1))

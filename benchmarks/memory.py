"""The memory plans of the guide's three presets, and what their batches would take uncut. No card is needed; where there is one, a step is measured on it.

    python benchmarks/memory.py
"""
import time
import torch
from common import save
from otcfm_nb.config import preset
from otcfm_nb.memory import CONTEXT, GB, SHARE, groups_of, make_plan, plan_table, predict
from otcfm_nb.tally import Cut, Ledger, one_step

SHAPE = (4, 64, 64)


def measured(cfg, plan):
    "GB that PyTorch allocated for a step on the card, as a card of the plan's size; None without a card."
    if not torch.cuda.is_available(): return None
    torch.cuda.set_per_process_memory_fraction(min(1., plan.budget*GB/torch.cuda.get_device_properties(0).total_memory))
    torch.cuda.empty_cache(); torch.cuda.reset_peak_memory_stats()
    one_step(cfg, SHAPE, plan, Ledger(), 'cuda')
    torch.cuda.set_per_process_memory_fraction(1.)
    return torch.cuda.max_memory_allocated()/GB


def main():
    rows = {}
    for name in ('8gb', '12gb', '16gb'):
        cfg = preset(name); batch, blocks, vram = cfg.training.batch_size, cfg.model.num_layers, cfg.training.vram_budget_gb
        start = time.perf_counter(); plan = make_plan(cfg, SHAPE, vram); took = time.perf_counter()-start
        print(f'{name}: {cfg.model.hidden_dim}x{blocks}, latents 4x64x64'); print(plan_table(plan, blocks), end='\n\n')
        whole = {k: predict(cfg, SHAPE, Cut(batch, batch, k, plan.precision), vram).peak for k in (0, blocks)}
        rows[name] = dict(card_gb=vram, may_use_gb=SHARE*vram, fits=plan.fits, peak_gb=plan.peak, batch=batch, micro_batch=plan.micro_batch,
            accumulation=plan.accumulation, checkpointed=plan.checkpointed, precision=plan.precision, parts_gb=groups_of(plan),
            tflop_per_step=plan.work['flops']/1e12, gb_moved_per_step=plan.work['moved']/GB, kernels_per_step=plan.work['launches'],
            whole_batch_gb=whole[0], whole_batch_all_checkpointed_gb=whole[blocks], measured_allocated_gb=measured(cfg, plan),
            predicted_allocated_gb=plan.peak-CONTEXT/GB, seconds_to_plan=took)
    save('memory', dict(latent=SHAPE, gb='2^30 bytes', gpu_note=None if torch.cuda.is_available() else 'not measured on a GPU here', plans=rows))


if __name__ == '__main__': main()

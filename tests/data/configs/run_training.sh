#!/usr/bin/env bash
set -euo pipefail
# 4 GPUs; --d_lr 1e-3 was too much
export CUDA_VISIBLE_DEVICES=0,1,2,3
DATA=${DATA:-/data/faces}
torchrun --nproc_per_node=4 train.py "$DATA" \
    --outdir "$HOME/runs/$(date +%F)" \
    --batch_size 8 --d_lr 4e-3 \
    --g_lr=1e-4   `# unchanged` \
    --loss 'hinge' --note 'first try; lr=5' \
    --use_sn && echo done

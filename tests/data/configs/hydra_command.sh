python train.py experiment=faces +trainer.precision=32 \
  model.optimizer_g.lr=1e-4 model.optimizer_d.lr=0.004 \
  data.batch_size=8 'hydra.run.dir=logs/${now:%Y-%m-%d}'

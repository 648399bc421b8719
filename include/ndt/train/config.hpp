// ndt/train/config.hpp: everything about a training run but the model's shape, which is ModelConfig.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "ndt/config.hpp"
#include "ndt/data/mask_settings.hpp"

namespace ndt::inline NDT_TARGET::train {

enum class Schedule : std::uint8_t { cosine, inverse_sqrt };

/// In brackets the key of the reference's configuration, whose defaults these are. Rates and losses are per bin.
///
/// An update, the unit of every number below that counts them, is one step of the optimiser: the word's meaning. The
/// reference counts a whole pass over the data as one, and so does `reproduce`.
struct TrainConfig {
  /// Follow the reference to the letter where it does otherwise than the papers it cites:
  ///   - an update is a pass over the data (data/batches.hpp), and the first one has a learning rate of 0 where there
  ///   is
  ///     a warm-up (train/schedule.hpp);
  ///   - the inverse-square-root schedule multiplies by the initial rate twice (train/schedule.hpp);
  ///   - AdamW as pytorch_transformers 1.2.0 has it (train/adamw.hpp);
  ///   - the unmasked loss scores all held-out neurons but one against zero, and random counts are bounded by what the
  ///     masked batch holds (data/masking.hpp);
  ///   - T-Fixup leaves the value projection as it is (train/initialisation.hpp).
  bool reproduce = false;
  std::uint64_t seed = 100;  ///< [SEED]
  std::size_t threads = 1;   ///< workers that share the trials of a batch; the results do not depend on it

  // Data.
  std::string data_folder = "data/";     ///< [DATA.DATAPATH]
  std::string train_file = "train.pth";  ///< [DATA.TRAIN_FILENAME]
  std::string valid_file = "val.pth";    ///< [DATA.VAL_FILENAME]
  std::int64_t chop_length = -1;  ///< bins that recordings are chopped to; 0 or less: left whole [MODEL.TRIAL_LENGTH]
  bool overfit_test = false;      ///< the first two trials only [DATA.OVERFIT_TEST]
  double random_subset_trials = 1.0;  ///< part of the training trials used [DATA.RANDOM_SUBSET_TRIALS]
  bool ignore_forward = false;        ///< leave forward bins out [DATA.IGNORE_FORWARD]

  // Objective.
  data::MaskSettings mask;  ///< [TRAIN.MASK_*, TRAIN.USE_ZERO_MASK]
  double topk = 1.0;        ///< part of the selected elements, the worst, that is in the loss [MODEL.LOSS.TOPK]

  // Regularisation and first values.
  double dropout = 0.1;            ///< attention weights and both branches of a layer [MODEL.DROPOUT]
  double dropout_rates = 0.2;      ///< before the decoder [MODEL.DROPOUT_RATES]
  double dropout_embedding = 0.2;  ///< behind the positions [MODEL.DROPOUT_EMBEDDING]
  bool spike_log_init = false;     ///< embeddings begin on a logarithmic scale [MODEL.SPIKE_LOG_INIT]
  bool fixup_init = false;         ///< layers begin scaled as T-Fixup has it [MODEL.FIXUP_INIT]
  bool fixup_values = true;        ///< T-Fixup scales the value projection too, as its paper has it
  bool identical_layers = true;    ///< all layers begin with the same weights, as the reference's copies of one do

  // Optimiser.
  std::size_t batch_size = 64;           ///< trials [TRAIN.BATCH_SIZE]
  std::size_t num_updates = 10000;       ///< [TRAIN.NUM_UPDATES]
  double learning_rate = 1e-3;           ///< [TRAIN.LR.INIT]
  bool scheduled = true;                 ///< else the rate stays as it is [TRAIN.LR.SCHEDULE]
  Schedule schedule = Schedule::cosine;  ///< [TRAIN.LR.SCHEDULER]
  std::size_t warmup = 1000;             ///< updates [TRAIN.LR.WARMUP]
  double weight_decay = 0.0;             ///< [TRAIN.WEIGHT_DECAY]
  double beta1 = 0.9;                    ///< the reference has no key for the betas
  double beta2 = 0.999;
  double epsilon = 1e-8;         ///< [TRAIN.EPS]
  double max_grad_norm = 200.0;  ///< [TRAIN.MAX_GRAD_NORM]

  // When to look and when to stop.
  bool do_val = true;                      ///< [TRAIN.DO_VAL]
  bool do_r2 = true;                       ///< [TRAIN.DO_R2]
  std::size_t val_interval = 10;           ///< updates [TRAIN.VAL_INTERVAL]
  std::size_t checkpoint_interval = 1000;  ///< updates [TRAIN.CHECKPOINT_INTERVAL]
  std::size_t patience = 750;              ///< updates without a better masked loss [TRAIN.PATIENCE]

  bool operator==(const TrainConfig&) const = default;

  /// Whether an update is a pass over the data rather than a step.
  constexpr bool updates_are_epochs() const noexcept { return reproduce; }
};

}  // namespace ndt::inline NDT_TARGET::train

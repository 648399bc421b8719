// tools/io/train_fields.hpp: the keys of a TrainConfig.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace tool {

/// f(key, field) for every field: the reference's keys, and ours in a section that the reference does not have.
template <class Config, class F>
void visit_train_fields(Config& config, F&& f) {
  f("SEED", config.seed);
  f("DATA.DATAPATH", config.data_folder);
  f("DATA.TRAIN_FILENAME", config.train_file);
  f("DATA.VAL_FILENAME", config.valid_file);
  f("DATA.OVERFIT_TEST", config.overfit_test);
  f("DATA.RANDOM_SUBSET_TRIALS", config.random_subset_trials);
  f("DATA.IGNORE_FORWARD", config.ignore_forward);
  f("MODEL.TRIAL_LENGTH", config.chop_length);
  f("MODEL.DROPOUT", config.dropout);
  f("MODEL.DROPOUT_RATES", config.dropout_rates);
  f("MODEL.DROPOUT_EMBEDDING", config.dropout_embedding);
  f("MODEL.SPIKE_LOG_INIT", config.spike_log_init);
  f("MODEL.FIXUP_INIT", config.fixup_init);
  f("MODEL.LOSS.TOPK", config.topk);
  f("TRAIN.DO_VAL", config.do_val);
  f("TRAIN.DO_R2", config.do_r2);
  f("TRAIN.BATCH_SIZE", config.batch_size);
  f("TRAIN.NUM_UPDATES", config.num_updates);
  f("TRAIN.MAX_GRAD_NORM", config.max_grad_norm);
  f("TRAIN.USE_ZERO_MASK", config.mask.zero_mask);
  f("TRAIN.MASK_RATIO", config.mask.ratio);
  f("TRAIN.MASK_TOKEN_RATIO", config.mask.token_ratio);
  f("TRAIN.MASK_RANDOM_RATIO", config.mask.random_ratio);
  f("TRAIN.MASK_MODE", config.mask.mode);
  f("TRAIN.MASK_MAX_SPAN", config.mask.max_span);
  f("TRAIN.MASK_SPAN_RAMP_START", config.mask.ramp_start);
  f("TRAIN.MASK_SPAN_RAMP_END", config.mask.ramp_end);
  f("TRAIN.LR.INIT", config.learning_rate);
  f("TRAIN.LR.SCHEDULE", config.scheduled);
  f("TRAIN.LR.SCHEDULER", config.schedule);
  f("TRAIN.LR.WARMUP", config.warmup);
  f("TRAIN.WEIGHT_DECAY", config.weight_decay);
  f("TRAIN.EPS", config.epsilon);
  f("TRAIN.PATIENCE", config.patience);
  f("TRAIN.CHECKPOINT_INTERVAL", config.checkpoint_interval);
  f("TRAIN.VAL_INTERVAL", config.val_interval);
  f("NDT.REPRODUCE", config.reproduce);
  f("NDT.THREADS", config.threads);
  f("NDT.FIXUP_VALUES", config.fixup_values);
  f("NDT.IDENTICAL_LAYERS", config.identical_layers);
  f("NDT.BETA1", config.beta1);
  f("NDT.BETA2", config.beta2);
}

/// Accepted and without effect, whatever their value: other programs' business, dead in the reference itself, or
/// without a meaning here.
inline constexpr std::array<std::string_view, 19> ignored_keys = {
    "VARIANT",
    "USE_TENSORBOARD",
    "TENSORBOARD_DIR",
    "CHECKPOINT_DIR",
    "LOG_DIR",  // the command line names the folder
    "SYSTEM.TORCH_GPU_ID",
    "SYSTEM.GPU_AUTO_ASSIGN",
    "SYSTEM.NUM_GPUS",
    "DATA.TEST_FILENAME",         // only its evaluation, which does not run, reads it
    "DATA.LOG_EPSILON",           // before the logarithm of true rates, which is undone for R2: here none is taken
    "MODEL.UNMASKED_LOSS_SCALE",  // read nowhere
    "MODEL.MAX_SPIKE_COUNT",      // of the cross-entropy loss
    "MODEL.REQUIRES_RATES",       // of other models
    "TRAIN.LOG_INTERVAL",         // how often the reference logs and asks for R2: here every validation does
    "TRAIN.TUNE_MODE",
    "TRAIN.TUNE_EPOCHS_PER_GENERATION",
    "TRAIN.TUNE_HP_JSON",
    "TRAIN.TUNE_WARMUP",
    "TRAIN.TUNE_METRIC",
};

/// Where the data lay and how many threads shared the work: nothing that a trained model needs to know.
inline bool is_of_the_machine(std::string_view key) {
  constexpr std::array<std::string_view, 4> keys = {"DATA.DATAPATH", "DATA.TRAIN_FILENAME", "DATA.VAL_FILENAME",
                                                    "NDT.THREADS"};
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

}  // namespace tool

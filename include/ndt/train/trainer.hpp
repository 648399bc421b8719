// ndt/train/trainer.hpp: training, step by step (reference: src/runner.py). Files, progress and clocks on the wall are
// the caller's: tools/cli/train.cpp is one.
//
//   Trainer<V> trainer(model_config, train_config, dataset);
//   while (!trainer.finished()) {
//     const Progress progress = trainer.step();
//     if (progress.validated && progress.best) ... save trainer.parameters() ...
//   }
//
// All random numbers are functions of the seed and of where they are used, so the state of a run is parameters(),
// optimizer() and state(): with these three restored, a run goes on with the bits that it would have had.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "ndt/autograd/parameters.hpp"
#include "ndt/config.hpp"
#include "ndt/core/parallel_for.hpp"
#include "ndt/data/batches.hpp"
#include "ndt/data/dataset.hpp"
#include "ndt/data/masking.hpp"
#include "ndt/model/config.hpp"
#include "ndt/model/transformer.hpp"
#include "ndt/train/adamw.hpp"
#include "ndt/train/config.hpp"
#include "ndt/train/gradient.hpp"
#include "ndt/train/initialisation.hpp"
#include "ndt/train/masked_batch.hpp"
#include "ndt/train/network.hpp"
#include "ndt/train/optimizer.hpp"
#include "ndt/train/schedule.hpp"
#include "ndt/train/top_k.hpp"
#include "ndt/train/validation.hpp"

namespace ndt::inline NDT_TARGET::train {

/// A number became NaN or infinite: training cannot go on. what() names the step and the tensor.
struct NotFinite : std::runtime_error {
  NotFinite(std::size_t at_step, const std::string& in_tensor, const std::string& kind)
      : std::runtime_error(kind + " of " + in_tensor + " is not finite in step " + std::to_string(at_step)),
        step(at_step),
        tensor(in_tensor) {}
  std::size_t step;
  std::string tensor;
};

/// Where a run is. With parameters and moving averages it is all that a checkpoint needs.
struct TrainingState {
  std::size_t step = 0;  ///< steps of the optimiser done
  double seconds = 0;    ///< spent in steps, validation not counted
  double loss_sum = 0;   ///< of the batches since the last validation
  std::size_t loss_count = 0;
  double best_loss = std::numeric_limits<double>::infinity();  ///< masked, in validation
  std::size_t best_step = 0;
  double best_r2 = -std::numeric_limits<double>::infinity();
  bool stopped = false;  ///< patience has run out

  bool operator==(const TrainingState&) const = default;
};

/// What a step did.
struct Progress {
  std::size_t step = 0;                                    ///< counted from 1
  double loss = std::numeric_limits<double>::quiet_NaN();  ///< mean of the batch; NaN if nothing was selected
  double learning_rate = 0;
  double gradient_norm = 0;                                      ///< before clipping
  bool validated = false;                                        ///< what follows is there
  double train_loss = std::numeric_limits<double>::quiet_NaN();  ///< mean of the batches since the last validation
  Validation validation{};
  bool best = false;  ///< the masked loss is the lowest so far
};

template <class V, class Policy = Serial>
class Trainer {
 public:
  using T = typename V::value_type;

  /// Starts with fresh parameters. `dataset` must outlive this; validation counts above max_spikes are clipped in it.
  /// Throws std::invalid_argument where data and configuration do not fit.
  Trainer(const ModelConfig& model, const TrainConfig& config, data::Dataset& dataset, const Policy& policy = {})
      : config_(config),
        policy_(policy),
        dataset_(&dataset),
        parameters_(parameters_of<T>(checked(model, config, dataset))),
        network_(model, parameters_),
        gradient_(network_, parameters_),
        optimizer_(parameters_.trained_size()),
        trials_(data::subset_of(dataset.train.trials, config.random_subset_trials, config.seed)),
        objective_{&dataset, &dataset.train, config.mask, model.max_spikes, 0, config.reproduce},
        valid_objective_{&dataset, &dataset.valid, config.mask, model.max_spikes, 0, config.reproduce},
        validator_(valid_objective_, config.do_r2) {
    // Counts from the file's own order: a subset is a set.
    std::sort(trials_.begin(), trials_.end());
    if (config.overfit_test && trials_.size() > 2) trials_.resize(2);
    if (trials_.empty()) throw std::invalid_argument("no trial is left to train on");
    for (std::uint16_t& count : dataset.valid.counts) {
      count = static_cast<std::uint16_t>(std::min<std::size_t>(count, model.max_spikes));
    }
    const std::size_t largest = data::largest_count(dataset.train.counts.data(), dataset.train.counts.size());
    objective_.random_below = static_cast<std::uint32_t>(std::min(largest, model.max_spikes + 1));
    valid_objective_.random_below = objective_.random_below;
    order_.resize(trials_.size());
    for (const Parameter& p : parameters_.list()) {
      initialise(std::string_view(p.name), p.extents, parameters_.value(p), model, config);
    }
    parameters_.repack(policy_);
  }
  /// Counts are numbers of 16 bits, and so is what stands for a hidden one.
  static bool has_mask_token(const TrainConfig& config, std::size_t max_spikes) noexcept {
    return data::mask_token(config.mask, max_spikes) <= std::numeric_limits<std::uint16_t>::max();
  }
  Trainer(const Trainer&) = delete;
  Trainer& operator=(const Trainer&) = delete;

  Parameters<T>& parameters() noexcept { return parameters_; }
  Optimizer<V>& optimizer() noexcept { return optimizer_; }
  TrainingState& state() noexcept { return state_; }
  const ModelConfig& model_config() const noexcept { return network_.config(); }
  const TrainConfig& config() const noexcept { return config_; }
  /// To be called after parameters, moving averages or state were changed from outside.
  void restored() {
    parameters_.repack(policy_);
    state_.stopped = state_.stopped && patience_is_out();  // a run that goes on may have more of it
  }

  /// Of the training split, those that are trained on.
  std::size_t trials() const noexcept { return trials_.size(); }
  /// In a pass over them.
  std::size_t batches() const noexcept { return data::batches_of(trials(), config_.batch_size); }
  /// Passes over the data done.
  std::size_t epochs() const noexcept { return state_.step / batches(); }
  /// Updates done, in the unit of the configuration.
  std::size_t updates() const noexcept { return updates_after(state_.step); }
  /// Steps that the whole run takes, if patience lasts.
  std::size_t last_step() const noexcept {
    return config_.updates_are_epochs() ? config_.num_updates * batches() : config_.num_updates;
  }
  bool finished() const noexcept { return state_.stopped || updates() >= config_.num_updates; }
  /// Memory of parameters, gradients, moving averages and tapes.
  std::size_t bytes() const noexcept {
    return parameters_.bytes() + gradient_.bytes() + 2 * parameters_.trained_size() * sizeof(T);
  }

  /// One batch: mask, forward, backward, clip, AdamW, repack; then validation if it is due. Throws NotFinite.
  Progress step() {
    const auto start = std::chrono::steady_clock::now();
    const std::size_t update = updates();
    if (shuffled_for_ != epochs()) shuffle();
    Progress progress;
    progress.learning_rate = learning_rate(config_, update);
    const auto places = data::batch_of(order_, config_.batch_size, state_.step % batches());
    const data::MaskDraw draw = data::draw_mask(config_.mask, config_.seed, state_.step, update);
    const auto batch = batch_.mask(objective_, places, draw, policy_);
    // The mean of nothing has no gradient; such a batch moves nothing.
    if (batch.selected > 0) descend(batch, progress);

    progress.step = ++state_.step;
    state_.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (updates() != update && (updates() % config_.val_interval == 0 || updates() == config_.num_updates)) {
      look(progress);
    }
    return progress;
  }

  /// The model as it is.
  DynamicTransformer<V> model() const {
    DynamicTransformer<V> model;
    if (!model.bind({network_.config()}, parameters_.packed()).ok())
      throw std::logic_error("a model that does not bind");
    return model;
  }
  /// Over the validation split. The mask is the same every time, or drawn anew where the reference is followed.
  Validation validate() {
    const std::size_t step = config_.reproduce ? state_.step : 0;
    return validator_.run(model(), data::draw_validation_mask(config_.mask, config_.seed, step), policy_);
  }

 private:
  std::size_t updates_after(std::size_t steps) const noexcept {
    return config_.updates_are_epochs() ? steps / batches() : steps;
  }
  static const ModelConfig& checked(const ModelConfig& model, const TrainConfig& config, const data::Dataset& dataset) {
    if (const Status status = model.validate(); !status.ok()) {
      throw std::invalid_argument(std::string(status.message()) + ": " + std::string(status.where.view()));
    }
    if (model.neurons != dataset.neurons) throw std::invalid_argument("the data has another number of neurons");
    if (dataset.bins > model.trial_length) throw std::invalid_argument("the data has more bins than the model");
    if (!has_mask_token(config, model.max_spikes)) throw std::invalid_argument("no mask token above max_spikes");
    if (config.batch_size == 0 || config.val_interval == 0) throw std::invalid_argument("an interval of 0");
    return model;
  }

  bool patience_is_out() const noexcept { return updates() - updates_after(state_.best_step) > config_.patience; }

  void shuffle() {
    shuffled_for_ = epochs();
    data::shuffle_trials(order_, config_.seed, shuffled_for_);
    for (std::uint32_t& trial : order_) trial = trials_[trial];
  }

  void descend(Batch<T, std::uint16_t> batch, Progress& progress) {
    const PassOptions options{{config_.dropout, config_.dropout_embedding, config_.dropout_rates},
                              config_.seed,
                              static_cast<std::uint32_t>(state_.step)};
    if (config_.topk < 1) {
      losses_.resize(batch_.weights().size());
      gradient_.losses(losses_.data(), batch, options, policy_);
      keep_largest(batch_.weights().data(), losses_.data(), losses_.size(), config_.topk);
    }
    progress.loss = gradient_.run(batch, options, policy_) / static_cast<double>(batch.selected);
    const std::span<T> gradient = gradient_.gradient();
    progress.gradient_norm = optimizer_.norm(std::span<const T>(gradient), policy_);
    if (!std::isfinite(progress.loss) || !std::isfinite(progress.gradient_norm)) stop();
    optimizer_.update(parameters_.values(), std::span<const T>(gradient),
                      adamw_step(config_, progress.learning_rate, state_.step + 1),
                      clip_factor(progress.gradient_norm, config_.max_grad_norm), policy_);
    parameters_.repack(policy_);
    state_.loss_sum += progress.loss;
    ++state_.loss_count;
  }

  [[noreturn]] void stop() {
    const std::size_t step = state_.step + 1;
    const std::string value = not_finite(parameters_, std::span<const T>(parameters_.values()));
    if (!value.empty()) throw NotFinite(step, value, "a value");
    const std::string gradient = not_finite(parameters_, std::span<const T>(gradient_.gradient()));
    if (!gradient.empty()) throw NotFinite(step, gradient, "the gradient");
    throw NotFinite(step, "the predicted rates", "the loss");
  }

  void look(Progress& progress) {
    progress.validated = true;
    if (state_.loss_count > 0) progress.train_loss = state_.loss_sum / static_cast<double>(state_.loss_count);
    state_.loss_sum = 0, state_.loss_count = 0;
    if (!config_.do_val || dataset_->valid.trials == 0) return;
    progress.validation = validate();
    state_.best_r2 = std::max(state_.best_r2, progress.validation.r2);
    if (progress.validation.masked_loss < state_.best_loss) {
      progress.best = true;
      state_.best_loss = progress.validation.masked_loss;
      state_.best_step = state_.step;
    } else {
      state_.stopped = patience_is_out();
    }
  }

  TrainConfig config_;
  Policy policy_;
  data::Dataset* dataset_;
  Parameters<T> parameters_;
  Network network_;
  BatchGradient<V> gradient_;
  Optimizer<V> optimizer_;
  std::vector<std::uint32_t> trials_, order_;                ///< of the split, and of this pass
  std::size_t shuffled_for_ = static_cast<std::size_t>(-1);  ///< the pass that the order is of; none yet
  MaskedObjective objective_, valid_objective_;
  MaskedBatch<T> batch_;
  Validator<V> validator_;
  std::vector<T> losses_;
  TrainingState state_;
};

}  // namespace ndt::inline NDT_TARGET::train

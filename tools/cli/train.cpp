// ndt train CONFIG.yaml: the reference's training, from its own configuration files.
#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>

#include <ndt/data/chop.hpp>
#include <ndt/train/trainer.hpp>

#include "../io/dataset.hpp"
#include "../io/folder_lock.hpp"
#include "../io/json_text.hpp"
#include "../io/model_config.hpp"
#include "../io/model_file.hpp"
#include "../io/parameters.hpp"
#include "../io/refused.hpp"
#include "../io/train_config.hpp"
#include "../io/training_checkpoint.hpp"
#include "command.hpp"
#include "training_log.hpp"
#include "training_progress.hpp"

namespace tool {
namespace {

namespace fs = std::filesystem;
using Trainer = ndt::train::Trainer<ndt::simd::native<float>, ndt::OpenMP>;

struct Options {
  std::vector<std::string> configs, settings;
  std::string data, out, init;
  DatasetOptions dataset;
  double max_minutes = std::numeric_limits<double>::infinity();
  std::size_t max_steps = std::numeric_limits<std::size_t>::max();
  bool resume = false;
};

/// Set by the first signal that asks the program to end: the step that runs is finished and kept. The second one ends
/// the program, but for SIGHUP: a terminal that is closed sends it, and the shell in it sends it again.
volatile std::sig_atomic_t asked_to_stop = 0;

void ask_to_stop(int number) {
  asked_to_stop = 1;
  if (number != SIGHUP) std::signal(number, SIG_DFL);
}

fs::path data_path(const Options& options, const ndt::train::TrainConfig& config) {
  if (!options.data.empty()) return options.data;
  if (config.train_file != config.valid_file) {
    throw Refused("training and validation data in two files, " + config.train_file + " and " + config.valid_file,
                  options.configs.back(), "--data FILE.h5 with both splits");
  }
  const fs::path path = fs::path(config.data_folder) / config.train_file;
  std::error_code unreachable;
  if (!fs::exists(path, unreachable)) {
    throw Refused("no training data where the configuration has it", path.string(), "--data FILE.h5");
  }
  return path;
}

ndt::data::Dataset load(const Options& options, const fs::path& path, const ndt::train::TrainConfig& config) {
  DatasetOptions wanted = options.dataset;
  wanted.least_valid = config.do_val ? 1 : 0;
  ndt::data::Dataset dataset = load_dataset(path, wanted);
  if (config.ignore_forward) ndt::data::drop_forward_bins(dataset);
  const auto length = static_cast<std::size_t>(std::max<std::int64_t>(config.chop_length, 0));
  if (length == 0 || length == dataset.bins) return dataset;
  if (length > dataset.bins || dataset.forward_bins != 0) {
    throw Refused("MODEL.TRIAL_LENGTH is " + std::to_string(length), path.string(),
                  "trials have " + counted(dataset.bins, "bin") +
                      (dataset.forward_bins != 0 ? ", some of them forward bins, and cannot be chopped" : "") +
                      ": --set MODEL.TRIAL_LENGTH=" + std::to_string(dataset.bins));
  }
  ndt::data::chop(dataset, length);
  return dataset;
}

/// Largest training count + 3 (reference: src/runner.py, which looks at held-in neurons alone).
std::size_t max_spikes_of(const ndt::data::Dataset& dataset) {
  return ndt::data::largest_count(dataset.train.counts.data(), dataset.train.counts.size()) + std::size_t{3};
}

/// A model to start from must be the one of the configuration, but for its context. `wanted` has its bins and
/// max_spikes, where the data allows it.
void check_init(const ndt::ModelConfig& init, ndt::ModelConfig wanted, const std::string& where) {
  wanted.context_forward = init.context_forward;
  wanted.context_backward = init.context_backward;
  wanted.full_context = init.full_context;
  wanted.context_wrap_initial = init.context_wrap_initial;
  wanted.position_offset = init.position_offset;
  if (init == wanted) return;
  std::string theirs, ours;
  for (const JsonDifference& d : json_differences(config_text(init), config_text(wanted), where)) {
    const char* const comma = theirs.empty() ? "" : ", ";
    theirs += comma + d.key + " " + d.theirs;
    ours += comma + d.key + " " + d.ours;
  }
  throw Refused("the model to start from is another one: " + theirs, where, "configuration and data ask for " + ours);
}

bool has_run(const fs::path& folder) {
  std::error_code unreachable;
  return fs::exists(folder / "last.ckpt", unreachable) || fs::exists(folder / "best.safetensors", unreachable);
}

/// The folder of a run, made where it is not there: as asked, or runs/NAME of the configuration.
fs::path run_folder(const Options& options) {
  fs::path folder = options.out;
  if (folder.empty()) {
    const fs::path base = fs::path("runs") / fs::path(options.configs.back()).stem();
    folder = base;
    fs::path last = base;
    for (int n = 2; has_run(folder); ++n) {
      last = folder;
      folder = base.string() + "-" + std::to_string(n);
    }
    if (options.resume) folder = last;
  }
  std::error_code unreachable;
  if (options.resume && !fs::exists(folder / "last.ckpt", unreachable)) {
    throw Refused("no run to resume", (folder / "last.ckpt").string(), "the folder of a run that was stopped");
  }
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) {
    throw Refused("cannot make the folder: " + error.message(), folder.string(), "a place that can be written to");
  }
  return folder;
}

/// A setting without its --set would be taken for a file.
RunConfig config_of(const Options& options) {
  for (const std::string& file : options.configs) {
    std::error_code unreachable;
    if (file.find('=') != std::string::npos && !fs::exists(file, unreachable)) {
      throw Refused("not a file", file, "a YAML file, or --set before every KEY=VALUE");
    }
  }
  return read_run_config({options.configs.begin(), options.configs.end()}, options.settings);
}

/// One run, with its files.
class Training {
 public:
  Training(const Options& options, const Common& common)
      : options_(options),
        config_(config_of(options)),
        data_path_(data_path(options, config_.train)),
        dataset_(load(options, data_path_, config_.train)) {
    if (!options.init.empty()) init_ = read_model(options.init);
    if (options.resume) folder_ = run_folder(options);
    model_ = model_of_run();
    if (init_) check_init(init_->config, model_, options.init);
    require_enough_trials();
    if (common.threads == 1) require_threads(config_.train.threads, "NDT.THREADS");
    if (!options.resume) folder_ = run_folder(options);
    lock_.emplace(folder_);
    // A run that is there is never overwritten. Asked under the lock, as another may have come to its end just now.
    if (!options.resume && has_run(folder_)) {
      throw Refused("there is a run already", folder_.string(), "--resume to go on with it, or another folder");
    }
    std::vector<std::string> inputs = options.configs;
    inputs.insert(inputs.end(), {options.init, data_path_.string()});
    for (const char* const name : {"last.ckpt", "best.safetensors", "log.csv"}) {
      require_output(folder_ / name, inputs);
    }
    large_train_ = above_max_spikes(dataset_.train);
    large_valid_ = above_max_spikes(dataset_.valid);  // the trainer clips them
    trainer_ = std::make_unique<Trainer>(model_, config_.train, dataset_,
                                         ndt::OpenMP{common.threads > 1 ? common.threads : config_.train.threads});
    run_.emplace(TrainingRun{trainer_->model_config(), trainer_->config(), data_fingerprint(dataset_),
                             trainer_->parameters(), trainer_->optimizer().mean(), trainer_->optimizer().square(),
                             trainer_->state()});
    if (init_ && !options.resume) {
      const ndt::Parameters<float> start = parameters_of(*init_);
      std::copy(start.values().begin(), start.values().end(), trainer_->parameters().values().begin());
    }
    if (options.resume) {
      load_checkpoint(*run_, folder_ / "last.ckpt");
      require_best();
    }
    trainer_->restored();
  }

  Answer run() {
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
      if (std::signal(number, ask_to_stop) == SIG_IGN) std::signal(number, SIG_IGN);  // by nohup, or in the background
    }
    TrainingLog log(folder_ / "log.csv", trainer_->state().step);
    note_large_batch();
    note_large_counts();
    if (!options_.resume) {
      save(log);  // before the first step: the disk may be full, or the folder not writable
    } else if (best_is_now()) {
      write_best();  // the run may have been killed just before
    }
    const std::size_t end = std::min(trainer_->last_step(), options_.max_steps);
    TrainingProgress progress(end);
    std::size_t bytes_after_first = 0;
    bool idle = !over(end);
    while (!over(end)) {
      const ndt::train::Progress step = one_step();
      if (bytes_after_first == 0) bytes_after_first = trainer_->bytes();
      progress.at(step, trainer_->state());
      idle = idle && std::isnan(step.loss);
      if (step.validated) {
        log.add(step, trainer_->state().seconds);
        if (step.best) save(log);  // first: whoever goes on from there knows of which step the best model is
        if (step.best || !config_.train.do_val) write_best();
        last_ = step;
      }
      if (step.step % checkpoint_steps() == 0) save(log);
    }
    save(log);
    if (trainer_->state().best_step == 0) write_best();  // never validated: what there is
    if (idle) note_nothing_learned();
    return answer(bytes_after_first);
  }

 private:
  /// The model that configuration and data ask for. What neither says, or data says of itself alone, is that of the
  /// model that the run began with: for how many counts there are embeddings, how long trials may be, and an epsilon
  /// for which there is no key.
  ndt::ModelConfig model_of_run() const {
    std::optional<ndt::ModelConfig> began;
    if (options_.resume) {
      began = checkpoint_model(folder_ / "last.ckpt");
    } else if (init_) {
      began = init_->config;
    }
    const std::size_t length = began ? std::max(began->trial_length, dataset_.bins) : dataset_.bins;
    const std::size_t max_spikes = began ? began->max_spikes : max_spikes_of(dataset_);
    ndt::ModelConfig model = complete(config_, {dataset_.neurons, length, max_spikes}, data_path_.string());
    if (began) model.norm_epsilon = began->norm_epsilon;
    return model;
  }
  void require_enough_trials() const {
    const bool predicts = (dataset_.heldout_neurons != 0 && !dataset_.train.heldout_hidden) ||
                          (dataset_.forward_bins != 0 && !dataset_.train.forward_hidden);
    if (!(config_.train.mask.ratio > 0) && !predicts) {
      throw Refused("TRAIN.MASK_RATIO is 0", data_path_.string(),
                    "without held-out neurons or forward bins in training nothing else is left to predict");
    }
    if (!Trainer::has_mask_token(config_.train, model_.max_spikes)) {
      throw Refused("TRAIN.USE_ZERO_MASK is False and max_spikes " + std::to_string(model_.max_spikes),
                    data_path_.string(), "for such counts True: the mask token would be above 65535");
    }
    const std::size_t trials = dataset_.train.trials;
    if (static_cast<double>(trials) * config_.train.random_subset_trials < 1) {
      throw Refused("DATA.RANDOM_SUBSET_TRIALS leaves no trial", data_path_.string(),
                    "there are " + std::to_string(trials) + " training trials");
    }
  }
  std::size_t above_max_spikes(const ndt::data::Split& split) const {
    return static_cast<std::size_t>(std::count_if(split.counts.begin(), split.counts.end(),
                                                  [&](std::uint16_t count) { return count > model_.max_spikes; }));
  }
  void note_large_counts() const {
    const auto note = [&](std::size_t large, const char* of, const char* what) {
      if (large == 0) return;
      std::fputs(
          fmt::format("ndt: note: {} counts of {} are above max_spikes {}, {}\n", large, of, model_.max_spikes, what)
              .c_str(),
          stderr);
    };
    note(large_train_, "training", "which is what the model sees of them");
    note(large_valid_, "validation", "and are scored as if they were that");
  }
  void note_nothing_learned() const {
    std::fputs(fmt::format("ndt: note: none of these steps had anything to predict: TRAIN.MASK_RATIO is {}\n",
                           config_.train.mask.ratio)
                   .c_str(),
               stderr);
  }
  /// All that is counted in steps or passes stays right; but it is hardly what was meant.
  void note_large_batch() const {
    if (config_.train.batch_size <= trainer_->trials()) return;
    std::fputs(
        fmt::format("ndt: note: TRAIN.BATCH_SIZE is {} and there are {} training trials: every batch is all of them\n",
                    config_.train.batch_size, trainer_->trials())
            .c_str(),
        stderr);
  }
  /// Whether the model as it is is the best so far.
  bool best_is_now() const {
    return trainer_->state().best_step > 0 && trainer_->state().best_step == trainer_->state().step;
  }
  /// That the best model so far is still there, and one of this shape.
  void require_best() const {
    if (trainer_->state().best_step == 0 || best_is_now()) return;
    const fs::path best = folder_ / "best.safetensors";
    const char* const right = "the folder of a run as the run left it";
    std::error_code unreachable;
    if (!fs::exists(best, unreachable)) throw Refused("the best model so far is gone", best.string(), right);
    if (!(read_model(best).config == model_)) throw Refused("not the best model of this run", best.string(), right);
  }
  bool over(std::size_t end) const {
    const ndt::train::TrainingState& state = trainer_->state();
    return trainer_->finished() || state.step >= end || state.seconds >= options_.max_minutes * 60 ||
           asked_to_stop != 0;
  }
  ndt::train::Progress one_step() try { return trainer_->step(); } catch (const ndt::train::NotFinite& stopped) {
    throw Refused(stopped.what(), folder_.string(),
                  "a lower TRAIN.LR.INIT or TRAIN.MAX_GRAD_NORM, in another folder; what this one holds is kept");
  }
  std::size_t checkpoint_steps() const {
    const std::size_t interval = std::max<std::size_t>(1, config_.train.checkpoint_interval);
    return config_.train.updates_are_epochs() ? interval * trainer_->batches() : interval;
  }
  /// Once a step is enough.
  void save(TrainingLog& log) {
    if (saved_ == trainer_->state().step) return;
    log.sync();
    save_checkpoint(*run_, folder_ / "last.ckpt");
    saved_ = trainer_->state().step;
  }
  void write_best() {
    ModelFile file;
    file.config = model_;
    file.tensors = tensors_of(model_, trainer_->parameters());
    if (is_bin_width(dataset_.bin_width)) file.bin_width = dataset_.bin_width;
    file.loss_topk = config_.train.topk;
    file.training = config_.train;
    write_safetensors(file, folder_ / "best.safetensors");
  }

  std::string reason() const {
    const ndt::train::TrainingState& state = trainer_->state();
    if (asked_to_stop != 0) return "a signal";
    if (state.stopped) return "patience";
    if (trainer_->finished()) return "num_updates";
    return state.seconds >= options_.max_minutes * 60 ? "max_minutes" : "max_steps";
  }
  Answer answer(std::size_t bytes_after_first) const {
    const ndt::train::TrainingState& state = trainer_->state();
    const auto number = [](double x) {
      return std::isfinite(x) ? nlohmann::ordered_json(x) : nlohmann::ordered_json();
    };
    Answer answer;
    answer.json = {{"out", folder_.string()},
                   {"model", (folder_ / "best.safetensors").string()},
                   {"steps", state.step},
                   {"epochs", trainer_->epochs()},
                   {"training_seconds", state.seconds},
                   {"ms_per_step", state.step == 0 ? 0 : state.seconds / static_cast<double>(state.step) * 1e3},
                   {"stopped_by", reason()},
                   {"best_step", state.best_step},
                   {"best_masked_loss", number(state.best_loss)},
                   {"best_r2", number(state.best_r2)},
                   {"last_masked_loss", number(last_.validation.masked_loss)},
                   {"last_unmasked_loss", number(last_.validation.unmasked_loss)},
                   {"last_r2", number(last_.validation.r2)},
                   {"bytes", trainer_->bytes()},
                   {"bytes_after_first_step", bytes_after_first}};
    answer.text = fmt::format("{} steps in {:.0f} s ({:.1f} ms a step), stopped by {}\n", state.step, state.seconds,
                              state.step == 0 ? 0 : state.seconds / static_cast<double>(state.step) * 1e3, reason());
    if (state.best_step == 0) {
      answer.text += "no masked loss in validation: the model is that of the last step\n";
    } else {
      answer.text +=
          fmt::format("lowest masked loss: {:.5f} in step {}, which is the model\n", state.best_loss, state.best_step);
    }
    if (std::isfinite(state.best_r2))
      answer.text += fmt::format("highest R2 of rates in any validation: {:.4f}\n", state.best_r2);
    answer.text += "model: " + (folder_ / "best.safetensors").string() + "\n";
    if (asked_to_stop != 0) answer.exit_status = 1;
    return answer;
  }

  Options options_;
  RunConfig config_;
  fs::path data_path_, folder_;
  std::optional<FolderLock> lock_;  ///< of folder_
  ndt::data::Dataset dataset_;
  std::optional<ModelFile> init_;
  ndt::ModelConfig model_;
  std::unique_ptr<Trainer> trainer_;
  std::optional<TrainingRun> run_;
  ndt::train::Progress last_{};
  std::size_t large_train_ = 0, large_valid_ = 0;  ///< counts above max_spikes
  std::optional<std::size_t> saved_;               ///< the step that last.ckpt was last written after
};

}  // namespace

void add_train(CLI::App& app, Run& run) {
  auto* command = app.add_subcommand("train", "trains a model on spike counts");
  auto options = std::make_shared<Options>();
  command->add_option("CONFIG", options->configs, "YAML files with the reference's keys, later ones win")->required();
  command->add_option("--data", options->data, "HDF5 with training and validation trials")->check(some_name);
  command->add_option("--group", options->dataset.group, "the group of the file that holds them")->check(group_name);
  command->add_option("--truth-scale", options->dataset.truth_scale, "truth times this is counts per bin")
      ->check(above_zero);
  command
      ->add_option("--out", options->out,
                   "folder of the run [runs/NAME of the configuration, NAME-2 after it and so on; to resume, the last]")
      ->check(some_name);
  command->add_option("--set", options->settings, "KEY=VALUE, over what the files say; once for each")
      ->allow_extra_args(false);
  command->add_option("--max-minutes", options->max_minutes, "of training time, with what was spent before --resume")
      ->check(from_zero);
  command->add_option("--max-steps", options->max_steps, "in all, with those before --resume")->check(whole_number);
  command
      ->add_option("--init", options->init,
                   "a model file or PyTorch checkpoint to start from, also into another context")
      ->check(some_name);
  command->add_flag("--resume", options->resume, "go on with the run in the folder");
  command->footer(
      "Writes best.safetensors (lowest masked loss in validation), last.ckpt (all that --resume needs) and log.csv.\n"
      "Bits do not depend on --threads (of which at most 8 have work), nor on whether a run was stopped and resumed.\n"
      "A run that began with --init is resumed without it; given again, the model is held to the run and not read "
      "from.");
  command->callback(
      [options, &run] { run = [options](const Common& common) { return Training(*options, common).run(); }; });
}

}  // namespace tool

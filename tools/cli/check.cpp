// ndt check MODEL RECORD.h5: a model against results that PyTorch recorded.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include <ndt/train/network.hpp>
#include <ndt/train/top_k.hpp>

#include "../io/hdf5_reader.hpp"
#include "../io/refused.hpp"
#include "../io/spikes.hpp"
#include "command.hpp"
#include "gradient_check.hpp"
#include "loaded_model.hpp"

namespace tool {
namespace {

constexpr double log_rate_bound = 2e-5, hidden_bound = 5e-5, loss_bound = 2e-5, gradient_bound = 1e-4;
constexpr std::int64_t no_label = -100;

double error_of(double actual, double reference) {
  if (actual == reference) return 0;
  const double error = std::abs(actual - reference) / std::max(1.0, std::abs(reference));
  return std::isnan(error) ? INFINITY : error;
}

/// max |a - r| / max(1, |r|).
double max_error(const std::vector<float>& actual, const std::vector<float>& reference) {
  double worst = 0;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    worst = std::max(worst, error_of(static_cast<double>(actual[i]), static_cast<double>(reference[i])));
  }
  return worst;
}

/// Poisson loss, mean over what has a label, as torch.nn.PoissonNLLLoss without the factorial; LOSS.TOPK keeps the
/// largest losses and counts the others as 0 (reference: src/model.py, NeuralDataTransformer.forward).
double poisson_loss(const std::vector<float>& output, const std::vector<std::int64_t>& labels, const ModelFile& model) {
  std::vector<double> losses;
  for (std::size_t i = 0; i < output.size(); ++i) {
    if (labels[i] == no_label) continue;
    const double x = static_cast<double>(output[i]), label = static_cast<double>(labels[i]);
    losses.push_back(model.config.lograte ? std::exp(x) - label * x : x - label * std::log(x + 1e-8));
    if (std::isnan(losses.back())) return NAN;  // which has no order
  }
  std::vector<double> weight(losses.size(), 1.0);
  if (model.loss_topk < 1) ndt::train::keep_largest(weight.data(), losses.data(), losses.size(), model.loss_topk);
  double sum = 0;
  for (std::size_t i = 0; i < losses.size(); ++i) {
    if (weight[i] != 0) sum += losses[i];
  }
  return sum / static_cast<double>(losses.size());
}

struct Record {
  std::string path;
  std::vector<DatasetInfo> datasets;

  bool has(const std::string& key) const {
    return std::any_of(datasets.begin(), datasets.end(), [&](const DatasetInfo& d) { return d.name == key; });
  }
  std::vector<float> floats(const std::string& key, const Shape& shape) const {
    const Array<float> array = read_float(path, key);
    if (array.shape != shape) throw_shape(key, array.shape, shape);
    return array.values;
  }
  [[noreturn]] void throw_shape(const std::string& key, const Shape& found, const Shape& expected) const {
    const auto text = [](const Shape& shape) {
      std::string t;
      for (const auto n : shape) t += (t.empty() ? "" : " x ") + std::to_string(n);
      return t.empty() ? std::string("one number") : t;
    };
    throw Refused("a shape of " + text(found), dataset_text(path, key), text(expected));
  }
};

/// The recorded gradients by tensor.
std::map<std::string, Array<float>> gradients_of(const Record& record) {
  const std::string group = "grad/";
  std::map<std::string, Array<float>> gradients;
  for (const DatasetInfo& d : record.datasets) {
    if (d.name.rfind(group, 0) == 0) gradients[d.name.substr(group.size())] = read_float(record.path, d.name);
  }
  return gradients;
}

/// One result of the check, with its bound.
struct Verdict {
  const char* name;
  double error, bound;
};

Verdict loss_verdict(const Record& record, double loss) {
  return {"loss_error", error_of(loss, static_cast<double>(record.floats("loss", {})[0])), loss_bound};
}

std::vector<float> outputs(LoadedModel& model, const SpikeCounts& spikes, std::vector<float>* hidden,
                           std::size_t threads, ndt::LargestCount largest = ndt::LargestCount::max_spikes) {
  std::vector<float> log_rates(spikes.counts.size());
  if (hidden != nullptr) hidden->resize(spikes.trials * spikes.bins * model.config().width());
  model.forward({.log_rates = log_rates.data(), .hidden = hidden != nullptr ? hidden->data() : nullptr},
                spikes.counts.data(), spikes.trials, spikes.bins, threads, largest);
  return log_rates;
}

SpikeCounts counts_of(const Record& record, const std::string& key, const ndt::ModelConfig& config) {
  SpikeCounts spikes = read_spikes(record.path, key, config.neurons);
  if (spikes.bins > config.trial_length) {
    throw Refused(counted(spikes.bins, "bin"), dataset_text(record.path, key),
                  "at most the " + counted(config.trial_length, "position") + " of the model");
  }
  return spikes;
}

/// Input as it went into the reference's model: max_spikes + 1 is the token of a mask, and nothing is above it.
SpikeCounts masked_counts_of(const Record& record, const ndt::ModelConfig& config) {
  SpikeCounts masked = counts_of(record, "masked", config);
  const std::size_t token = config.max_spikes + 1;
  for (std::size_t i = 0; i < masked.counts.size(); ++i) {
    if (static_cast<std::size_t>(masked.counts[i]) <= token) continue;
    throw Refused(
        fmt::format("{} has a count of {}", count_place(masked, i), masked.counts[i]),
        dataset_text(record.path, "masked"),
        fmt::format("at most {}, the token of a mask: the model's max_spikes is {}", token, config.max_spikes));
  }
  return masked;
}

Answer check(const std::string& model_path, const std::string& record_path, const Common& common) {
  LoadedModel model(model_path);
  const ndt::ModelConfig& c = model.config();
  const Record record{record_path, list_datasets(record_path)};
  std::vector<Verdict> verdicts;
  std::string worst_tensor;
  const auto gradients = gradients_of(record);
  const bool masked_recorded = record.has("masked") && record.has("labels");
  if (record.has("spikes")) {
    const SpikeCounts spikes = counts_of(record, "spikes", c);
    std::vector<float> hidden;
    const auto log_rates = outputs(model, spikes, &hidden, common.threads);
    const auto expected = record.floats("lograte", {spikes.trials, spikes.bins, c.neurons});
    verdicts.push_back({"max_log_rate_error", max_error(log_rates, expected), log_rate_bound});
    if (record.has("hidden")) {
      const auto expected_hidden = record.floats("hidden", {spikes.trials, spikes.bins, c.width()});
      verdicts.push_back({"max_hidden_error", max_error(hidden, expected_hidden), hidden_bound});
    }
    if (record.has("loss") && !masked_recorded) {
      const std::vector<std::int64_t> labels(spikes.counts.begin(), spikes.counts.end());
      verdicts.push_back(loss_verdict(record, poisson_loss(log_rates, labels, model.file)));
    }
  }
  if (masked_recorded) {
    const SpikeCounts masked = masked_counts_of(record, c);
    const auto labels = read_integers(record_path, "labels");
    if (labels.shape != Shape{masked.trials, masked.bins, c.neurons}) {
      record.throw_shape("labels", labels.shape, {masked.trials, masked.bins, c.neurons});
    }
    for (std::size_t i = 0; i < labels.values.size(); ++i) {
      if (labels.values[i] >= 0 || labels.values[i] == no_label) continue;
      throw Refused("the label " + std::to_string(labels.values[i]) + " at " + index_text(labels.shape, i),
                    dataset_text(record_path, "labels"), "counts, or -100 for none");
    }
    if (std::all_of(labels.values.begin(), labels.values.end(), [](auto label) { return label == no_label; })) {
      throw Refused("no count has a label", dataset_text(record_path, "labels"), "a loss is about at least one");
    }
    if (record.has("loss")) {
      const auto log_rates = outputs(model, masked, nullptr, common.threads, ndt::LargestCount::mask_token);
      verdicts.push_back(loss_verdict(record, poisson_loss(log_rates, labels.values, model.file)));
    }
    if (!gradients.empty()) {
      const GradientError found = gradient_error(model.file, masked, labels.values, gradients, common.threads);
      verdicts.push_back({"max_gradient_error", found.error, gradient_bound});
      worst_tensor = found.worst_tensor;
    }
  }
  if (verdicts.empty()) {
    throw Refused("nothing to check", record_path, "datasets spikes and lograte, or masked, labels and loss");
  }

  Answer answer;
  bool pass = true;
  for (const Verdict& v : verdicts) {
    pass = pass && v.error <= v.bound;
    const char* const remark = v.error <= v.bound       ? ""
                               : std::isfinite(v.error) ? "  MISSED"
                                                        : "  MISSED: model or record is not finite";
    answer.text += fmt::format("{:<20}{:.3e}  (at most {:.0e}){}\n", v.name, v.error, v.bound, remark);
  }
  if (!worst_tensor.empty()) answer.text += "worst gradient      " + worst_tensor + "\n";
  auto not_checked = nlohmann::ordered_json::array();
  if (!gradients.empty() && !masked_recorded) {
    not_checked.push_back("gradients");
    answer.text += "gradients are not checked: that needs masked and labels\n";
  } else if (!gradients.empty()) {
    for (const ndt::Parameter& p : ndt::train::parameters_of<float>(c)) {
      if (p.trained && gradients.count(p.name) == 0) not_checked.push_back("grad/" + p.name);
    }
    if (!not_checked.empty()) answer.text += fmt::format("{} tensors have no recorded gradient\n", not_checked.size());
  }
  answer.text += pass ? "pass\n" : "fail\n";
  // JSON has no infinity. What is null was not checked, unless it is listed.
  auto not_finite = nlohmann::ordered_json::array();
  for (const char* const name : {"max_log_rate_error", "max_hidden_error", "max_gradient_error", "loss_error"}) {
    answer.json[name] = nullptr;
  }
  for (const Verdict& v : verdicts) {
    answer.json[v.name] = v.error;
    if (!std::isfinite(v.error)) not_finite.push_back(v.name);
  }
  answer.json["worst_tensor"] = worst_tensor.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(worst_tensor);
  answer.json["not_finite"] = not_finite;
  answer.json["not_checked"] = not_checked;
  answer.json["pass"] = pass;
  answer.exit_status = pass ? 0 : 1;
  return answer;
}

}  // namespace

void add_check(CLI::App& app, Run& run) {
  auto* command = app.add_subcommand("check", "a model against recorded PyTorch results");
  auto paths = std::make_shared<std::pair<std::string, std::string>>();
  command->add_option("MODEL", paths->first, "a model file or checkpoint")->required();
  command->add_option("RECORD", paths->second, "an HDF5 file with spikes, lograte, hidden, loss")->required();
  command->callback(
      [paths, &run] { run = [paths](const Common& common) { return check(paths->first, paths->second, common); }; });
}

}  // namespace tool

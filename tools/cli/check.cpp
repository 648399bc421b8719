// ndt check MODEL RECORD.h5: a model against results that PyTorch recorded.
#include <fmt/format.h>

#include <cmath>
#include <memory>

#include "../io/hdf5_reader.hpp"
#include "../io/refused.hpp"
#include "../io/spikes.hpp"
#include "command.hpp"
#include "loaded_model.hpp"

namespace tool {
namespace {

constexpr double log_rate_bound = 2e-5, hidden_bound = 5e-5, loss_bound = 2e-5;
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

/// Poisson loss, mean over what has a label, as torch.nn.PoissonNLLLoss without the factorial (reference:
/// src/model.py).
double poisson_loss(const std::vector<float>& output, const std::vector<std::int64_t>& labels, bool lograte) {
  double sum = 0;
  std::size_t count = 0;
  for (std::size_t i = 0; i < output.size(); ++i) {
    if (labels[i] == no_label) continue;
    const double x = static_cast<double>(output[i]), label = static_cast<double>(labels[i]);
    sum += lograte ? std::exp(x) - label * x : x - label * std::log(x + 1e-8);
    ++count;
  }
  return sum / static_cast<double>(count);
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

/// One result of the check, with its bound.
struct Verdict {
  const char* name;
  double error, bound;
};

std::vector<float> outputs(LoadedModel& model, const SpikeCounts& spikes, std::vector<float>* hidden,
                           std::size_t threads) {
  std::vector<float> log_rates(spikes.counts.size());
  if (hidden != nullptr) hidden->resize(spikes.trials * spikes.bins * model.config().width());
  model.forward({.log_rates = log_rates.data(), .hidden = hidden != nullptr ? hidden->data() : nullptr},
                spikes.counts.data(), spikes.trials, spikes.bins, threads);
  return log_rates;
}

SpikeCounts counts_of(const Record& record, const std::string& key, const ndt::ModelConfig& config) {
  SpikeCounts spikes = read_spikes(record.path, key, config.neurons);
  if (spikes.bins > config.trial_length) {
    throw Refused(fmt::format("{} bins", spikes.bins), dataset_text(record.path, key),
                  fmt::format("at most the {} positions of the model", config.trial_length));
  }
  return spikes;
}

Answer check(const std::string& model_path, const std::string& record_path, const Common& common) {
  LoadedModel model(model_path);
  const ndt::ModelConfig& c = model.config();
  const Record record{record_path, list_datasets(record_path)};
  std::vector<Verdict> verdicts;
  double log_rate_error = NAN, hidden_error = NAN, loss_error = NAN;
  if (record.has("spikes")) {
    const SpikeCounts spikes = counts_of(record, "spikes", c);
    std::vector<float> hidden;
    const auto log_rates = outputs(model, spikes, &hidden, common.threads);
    const auto expected = record.floats("lograte", {spikes.trials, spikes.bins, c.neurons});
    verdicts.push_back({"max_log_rate_error", log_rate_error = max_error(log_rates, expected), log_rate_bound});
    if (record.has("hidden")) {
      const auto expected_hidden = record.floats("hidden", {spikes.trials, spikes.bins, c.width()});
      verdicts.push_back({"max_hidden_error", hidden_error = max_error(hidden, expected_hidden), hidden_bound});
    }
    if (record.has("loss") && !(record.has("masked") && record.has("labels"))) {
      const std::vector<std::int64_t> labels(spikes.counts.begin(), spikes.counts.end());
      const double loss = poisson_loss(log_rates, labels, c.lograte);
      loss_error = error_of(loss, static_cast<double>(record.floats("loss", {})[0]));
      verdicts.push_back({"loss_error", loss_error, loss_bound});
    }
  }
  if (record.has("masked") && record.has("labels") && record.has("loss")) {
    const SpikeCounts masked = counts_of(record, "masked", c);
    const auto labels = read_integers(record_path, "labels");
    if (labels.shape != Shape{masked.trials, masked.bins, c.neurons}) {
      record.throw_shape("labels", labels.shape, {masked.trials, masked.bins, c.neurons});
    }
    const double loss = poisson_loss(outputs(model, masked, nullptr, common.threads), labels.values, c.lograte);
    loss_error = error_of(loss, static_cast<double>(record.floats("loss", {})[0]));
    verdicts.push_back({"loss_error", loss_error, loss_bound});
  }
  if (verdicts.empty()) {
    throw Refused("nothing to check", record_path, "datasets spikes and lograte, or masked, labels and loss");
  }

  Answer answer;
  bool pass = true;
  for (const Verdict& v : verdicts) {
    pass = pass && v.error <= v.bound;
    answer.text += fmt::format("{:<20}{:.3e}  (at most {:.0e}){}\n", v.name, v.error, v.bound,
                               v.error <= v.bound ? "" : "  MISSED");
  }
  const bool gradients = std::any_of(record.datasets.begin(), record.datasets.end(),
                                     [](const DatasetInfo& d) { return d.name.rfind("grad/", 0) == 0; });
  if (gradients) answer.text += "gradients are recorded, but not checked: this version has no backward pass\n";
  answer.text += pass ? "pass\n" : "fail\n";
  const auto number = [](double x) { return std::isnan(x) ? nlohmann::ordered_json() : nlohmann::ordered_json(x); };
  answer.json["max_log_rate_error"] = number(log_rate_error);
  answer.json["max_hidden_error"] = number(hidden_error);
  answer.json["max_gradient_error"] = nullptr;
  answer.json["loss_error"] = number(loss_error);
  answer.json["worst_tensor"] = nullptr;
  answer.json["not_checked"] = gradients ? nlohmann::ordered_json{"gradients"} : nlohmann::ordered_json::array();
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

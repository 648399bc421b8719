// ndt inspect MODEL: what a model is and what it costs.
#include <fmt/format.h>

#include <memory>

#include "../io/readout_file.hpp"
#include "../io/refused.hpp"
#include "command.hpp"
#include "loaded_model.hpp"
#include "policies.hpp"

namespace tool {
namespace {

using nlohmann::ordered_json;

/// A number of bins, or null for all of them.
ordered_json bins_or_all(std::size_t bins) { return bins == ndt::dyn ? ordered_json() : ordered_json(bins); }
std::string text_of(const ordered_json& bins) { return bins.is_null() ? "all" : bins.dump(); }

/// Bytes of state of a decoder by policy; null where the policy cannot serve the model.
ordered_json streaming_state(const LoadedModel& loaded) {
  using Decoder = ndt::DynamicDecoder<>;
  const ndt::ReadoutConfig readout = loaded.readout_config();
  ordered_json j;
  for (const auto& [name, policy] : policies) {
    const ndt::StreamConfig config{policy};
    j[name] = config.validate(loaded.config()).ok()
                  ? ordered_json(Decoder::state_size(loaded.model, {config, readout}) * sizeof(float))
                  : ordered_json();
  }
  return j;
}

/// Null for a model without a read-out.
ordered_json readout_of(const LoadedModel& loaded) {
  if (!loaded.file.readout) return {};
  const ndt::ReadoutConfig r = loaded.readout_config();
  return {{"kind", name_of(readout_kinds, r.kind)},
          {"features", name_of(readout_features, r.features)},
          {"outputs", r.outputs},
          {"history", r.history},
          {"lag", r.lag},
          {"gains", r.gains}};
}

Answer inspect(const std::string& path) {
  const LoadedModel loaded(path);
  const ndt::ModelConfig& c = loaded.config();
  const ndt::Band band = c.band();
  const std::size_t T = c.trial_length;
  std::size_t parameters = 0;
  loaded.model.visit_tensors([&](const ndt::Name& name, const float*, const ndt::TensorSpec& spec) {
    // Sinusoidal positions are stored with the weights, but nobody trained them.
    if (name.view() != "pos_encoder.pe") parameters += spec.extents.count();
  });
  // Contexts add up over the layers; a trial is the most that there is.
  const auto reach = [&](std::size_t bins) {
    return bins == ndt::dyn ? ordered_json() : ordered_json(std::min(c.layers * bins, T - 1));
  };
  const double window = ndt::window_flop(c, T);
  ordered_json j;
  j["name"] = loaded.file.name;
  j["neurons"] = c.neurons;
  j["trial_length"] = T;
  j["layers"] = c.layers;
  j["heads"] = c.heads;
  j["width"] = c.width();
  j["hidden_size"] = c.hidden_size;
  j["embed_dim"] = c.embed_dim;
  j["linear_embedder"] = c.linear_embedder;
  j["max_spikes"] = c.max_spikes;
  j["positions"] = c.learnable_position ? "learned" : "sinusoidal";
  j["norm"] = c.pre_norm ? "pre" : "post";
  j["final_norm"] = c.scale_norm ? "scale" : "layer";
  j["activation"] = c.activation == ndt::Activation::gelu ? "gelu" : "relu";
  j["decoder_layers"] = c.decoder_layers;
  j["output"] = c.lograte ? "log rates" : "rates";
  j["bin_width"] = loaded.file.bin_width ? ordered_json(*loaded.file.bin_width) : ordered_json();
  j["loss_topk"] = loaded.file.loss_topk;
  j["context_backward"] = bins_or_all(band.backward);
  j["context_forward"] = bins_or_all(band.forward);
  j["context_wrap_initial"] = band.wrap != 0;
  j["context_forward_in_all"] = bins_or_all(band.forward == ndt::dyn ? ndt::dyn : c.layers * band.forward);
  j["look_back_bins"] = reach(band.backward);
  j["look_ahead_bins"] = reach(band.forward);
  j["parameters"] = parameters;
  j["packed_bytes"] = loaded.model.packed_size() * sizeof(float);
  j["workspace_bytes"] = loaded.model.workspace_bytes(T);
  j["streaming_state_bytes"] = streaming_state(loaded);
  j["readout"] = readout_of(loaded);
  j["flop_window"] = window;
  j["flop_bin"] = ndt::bin_flop(c);

  std::string text;
  const auto line = [&](const char* what, const std::string& value) { text += fmt::format("{:<12}{}\n", what, value); };
  if (!loaded.file.name.empty()) line("name", loaded.file.name);
  line("shape",
       fmt::format("{}, {}, {}, {}, width {}, feed-forward {}", counted(c.neurons, "neuron"), counted(T, "bin"),
                   counted(c.layers, "layer"), counted(c.heads, "head"), c.width(), c.hidden_size));
  line("input", fmt::format("counts up to {}{}", c.max_spikes,
                            c.linear_embedder  ? ", linear embedder"
                            : c.embed_dim == 0 ? ""
                                               : fmt::format(", {} numbers a neuron from a table", c.embed_dim)));
  line("positions", j["positions"]);
  line("norms", fmt::format("{}-norm, final {} norm, {}", c.pre_norm ? "pre" : "post", c.scale_norm ? "scale" : "layer",
                            j["activation"].get<std::string>()));
  line("output", fmt::format("{}, counts per bin{}", j["output"].get<std::string>(),
                             loaded.file.bin_width ? fmt::format(" of {} s", *loaded.file.bin_width) : ""));
  const std::string ahead = text_of(j["context_forward_in_all"]), in_trial = text_of(j["look_ahead_bins"]);
  line("context", fmt::format("{} bins back and {} ahead in a layer; {} ahead in all{}", text_of(j["context_backward"]),
                              text_of(j["context_forward"]), ahead,
                              ahead == in_trial ? "" : fmt::format(", at most {} in a trial of {} bins", in_trial, T)));
  line("parameters", fmt::format("{}", parameters));
  line("memory", fmt::format("{} bytes of packed weights, {} bytes of workspace",
                             loaded.model.packed_size() * sizeof(float), loaded.model.workspace_bytes(T)));
  std::string streams;
  for (const auto& [name, bytes] : j["streaming_state_bytes"].items()) {
    if (!bytes.is_null()) streams += fmt::format("{}{} bytes {}", streams.empty() ? "" : ", ", bytes.dump(), name);
  }
  line("streaming", streams.empty() ? "by no policy" : streams);
  if (loaded.file.readout) line("read-out", readout_summary(loaded.readout_config()));
  line("arithmetic",
       fmt::format("{:.4g} MFLOP a window, {:.4g} MFLOP for its last bin", window * 1e-6, ndt::bin_flop(c) * 1e-6));
  Answer answer;
  answer.json = std::move(j);
  answer.text = std::move(text);
  return answer;
}

}  // namespace

void add_inspect(CLI::App& app, Run& run) {
  auto* command = app.add_subcommand("inspect", "shape, context, memory and arithmetic of a model");
  auto path = std::make_shared<std::string>();
  command->add_option("MODEL", *path, "a model file or checkpoint")->required();
  command->callback([path, &run] { run = [path](const Common&) { return inspect(*path); }; });
}

}  // namespace tool

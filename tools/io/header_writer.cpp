// tools/io/header_writer.cpp: a model as C++ source, for machines without files.
#include <cmath>
#include <iterator>

#include <fmt/format.h>

#include "model_file.hpp"
#include "output_file.hpp"
#include "readout_file.hpp"
#include "reserved_name.hpp"

namespace tool {

namespace {

std::string config_source(const ndt::ModelConfig& c) {
  std::string text = "inline constexpr ndt::ModelConfig config = {\n";
  const auto field = [&](const char* name, const auto& value) { text += fmt::format("    .{} = {},\n", name, value); };
  // In the order of their declaration.
  field("neurons", c.neurons);
  field("trial_length", c.trial_length);
  field("layers", c.layers);
  field("heads", c.heads);
  field("hidden_size", c.hidden_size);
  field("embed_dim", c.embed_dim);
  field("max_spikes", c.max_spikes);
  field("decoder_layers", c.decoder_layers);
  field("context_forward", c.context_forward);
  field("context_backward", c.context_backward);
  field("full_context", c.full_context);
  field("context_wrap_initial", c.context_wrap_initial);
  field("linear_embedder", c.linear_embedder);
  field("learnable_position", c.learnable_position);
  field("position_offset", c.position_offset);
  field("pre_norm", c.pre_norm);
  field("scale_norm", c.scale_norm);
  field("lograte", c.lograte);
  field("activation", c.activation == ndt::Activation::gelu ? "ndt::Activation::gelu" : "ndt::Activation::relu");
  field("norm_epsilon", c.norm_epsilon);
  return text + "};\n";
}

/// readout_config and readout, for StaticDecoder<Model, {}, readout_config>.
std::string readout_config_source(const ndt::ReadoutConfig& c) {
  return fmt::format(
      "inline constexpr ndt::ReadoutConfig readout_config = {{\n    .kind = ndt::ReadoutKind::{},\n"
      "    .features = ndt::ReadoutFeatures::{},\n    .outputs = {},\n    .history = {},\n    .lag = {},\n"
      "    .gains = {},\n    .fingerprint = 0x{:016x}u,\n}};\n",
      name_of(readout_kinds, c.kind), name_of(readout_features, c.features), c.outputs, c.history, c.lag, c.gains,
      c.fingerprint);
}

/// An array of a name.
std::string packed_source(const char* name, const std::vector<float>& packed) {
  std::string text = "// In the library's packed layout. Hexadecimal, so that every bit survives.\n";
  text += fmt::format("alignas({}) inline constexpr float {}[{}] = {{", ndt::alignment_bytes, name, packed.size());
  auto out = std::back_inserter(text);
  for (std::size_t i = 0; i < packed.size(); ++i) {
    fmt::format_to(out, "{}", i % 8 == 0 ? "\n    " : " ");
    if (packed[i] == 0.0f && !std::signbit(packed[i])) {
      fmt::format_to(out, "0,");  // padding, mostly
    } else {
      fmt::format_to(out, "{:a}f,", packed[i]);
    }
  }
  return text + "\n};\n";
}

}  // namespace

void write_header(const ModelFile& model, const std::filesystem::path& path) {
  check_model_name(model.name);
  const std::vector<float> packed = pack(model, path);
  std::string text = "// A Neural Data Transformer with its weights, written by `ndt convert`.\n";
  text += fmt::format("//   ndt::StaticTransformer<{0}::config> model{{{0}::packed}};\n", model.name);
  text += "#pragma once\n\n#include <ndt/ndt.hpp>\n\nnamespace " + model.name + " {\n\n";
  text += config_source(model.config) + "\n";
  if (model.bin_width) text += fmt::format("inline constexpr double bin_width = {};  // seconds\n\n", *model.bin_width);
  text += packed_source("packed", packed);
  if (model.readout) {
    text += "\n" + readout_config_source(model.readout->config) + "\n";
    text += packed_source("readout", packed_readout(model, packed, path.string()));
  }
  text += "\n}  // namespace " + model.name + "\n";
  OutputFile file(path);
  file.write(text.data(), text.size());
  file.commit();
}

}  // namespace tool

// Golden files whose shape the tests also know as a type: together they have every switch both ways.
#pragma once

#include <ndt/ndt.hpp>

namespace support {

constexpr ndt::ModelConfig base_config() {
  ndt::ModelConfig c;
  c.neurons = 7, c.trial_length = 11, c.layers = 2, c.heads = 2, c.hidden_size = 10, c.embed_dim = 2, c.max_spikes = 4;
  c.context_forward = 2, c.context_backward = 3, c.learnable_position = true, c.pre_norm = true;
  return c;
}
constexpr ndt::ModelConfig changed(auto change) {
  ndt::ModelConfig c = base_config();
  change(c);
  return c;
}

struct Base {
  static constexpr const char* name = "base";
  static constexpr ndt::ModelConfig config = base_config();
};
struct CountsAsInput {
  static constexpr const char* name = "embed0_heads3";
  static constexpr ndt::ModelConfig config = changed([](auto& c) { c.embed_dim = 0, c.neurons = 12, c.heads = 3; });
};
struct LinearEmbedder {
  static constexpr const char* name = "embed_linear";
  static constexpr ndt::ModelConfig config =
      changed([](auto& c) { c.embed_dim = 0, c.heads = 1, c.linear_embedder = true; });
};
struct ScaleNormAfter {
  static constexpr const char* name = "scale_norm_post_norm";
  static constexpr ndt::ModelConfig config = changed([](auto& c) { c.pre_norm = false, c.scale_norm = true; });
};
struct WrappedContext {
  static constexpr const char* name = "context_wrap_backward4_causal";
  static constexpr ndt::ModelConfig config =
      changed([](auto& c) { c.context_wrap_initial = true, c.context_backward = 4, c.context_forward = 0; });
};
struct FullContext {
  static constexpr const char* name = "context_full";
  static constexpr ndt::ModelConfig config = changed([](auto& c) { c.full_context = true; });
};
struct WideHeads {
  static constexpr const char* name = "width34_bins37";
  static constexpr ndt::ModelConfig config = changed([](auto& c) {
    c.neurons = 34, c.embed_dim = 1, c.hidden_size = 40, c.trial_length = 37, c.context_forward = 4;
    c.context_backward = 8;
  });
};
struct ManySwitches {
  static constexpr const char* name = "many_switches";
  static constexpr ndt::ModelConfig config = changed([](auto& c) {
    c.embed_dim = 1, c.neurons = 12, c.heads = 3, c.layers = 3, c.learnable_position = false, c.position_offset = false;
    c.pre_norm = false, c.scale_norm = true, c.activation = ndt::Activation::gelu, c.context_forward = -1;
    c.context_backward = 5, c.decoder_layers = 2, c.lograte = false;
  });
};

}  // namespace support

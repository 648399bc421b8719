// tools/io/model_fields.hpp: the keys of a ModelConfig.
#pragma once

namespace tool {

/// f(key, field) for every field. The one list of keys, for reading and for writing: dots
/// separate sections, and keys without one are no part of the reference's configuration files.
template <class Config, class F>
void visit_model_fields(Config& config, F&& f) {
  f("num_neurons", config.neurons);
  f("trial_length", config.trial_length);
  f("max_spikes", config.max_spikes);
  f("norm_epsilon", config.norm_epsilon);
  f("MODEL.NUM_LAYERS", config.layers);
  f("MODEL.NUM_HEADS", config.heads);
  f("MODEL.HIDDEN_SIZE", config.hidden_size);
  f("MODEL.EMBED_DIM", config.embed_dim);
  f("MODEL.DECODER.LAYERS", config.decoder_layers);
  f("MODEL.CONTEXT_FORWARD", config.context_forward);
  f("MODEL.CONTEXT_BACKWARD", config.context_backward);
  f("MODEL.FULL_CONTEXT", config.full_context);
  f("MODEL.CONTEXT_WRAP_INITIAL", config.context_wrap_initial);
  f("MODEL.LINEAR_EMBEDDER", config.linear_embedder);
  f("MODEL.LEARNABLE_POSITION", config.learnable_position);
  f("MODEL.POSITION.OFFSET", config.position_offset);
  f("MODEL.PRE_NORM", config.pre_norm);
  f("MODEL.SCALE_NORM", config.scale_norm);
  f("MODEL.LOGRATE", config.lograte);
  f("MODEL.ACTIVATION", config.activation);
}

}  // namespace tool

// ndt/model/config.hpp: the shape and switches of a Neural Data Transformer (Ye & Pandarinath 2021).
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

#include "ndt/config.hpp"
#include "ndt/core/band.hpp"
#include "ndt/core/dim.hpp"
#include "ndt/core/status.hpp"

namespace ndt::inline NDT_TARGET {

enum class Activation : std::uint8_t { relu, gelu };

/// Everything about a model but its weights. In brackets the key of the reference's configuration. A structural type:
/// a constexpr ModelConfig can be a template argument. LOSS.TYPE cel has no field here, as the reference itself cannot
/// run it: its forward pass uses a value that it never assigns.
struct ModelConfig {
  std::size_t neurons = 0;                   ///< N
  std::size_t trial_length = 0;              ///< bins that have a position [TRIAL_LENGTH]
  std::size_t layers = 6;                    ///< L [NUM_LAYERS]
  std::size_t heads = 2;                     ///< H [NUM_HEADS]
  std::size_t hidden_size = 128;             ///< F, width of the feed-forward layer alone [HIDDEN_SIZE]
  std::size_t embed_dim = 2;                 ///< 0: the counts themselves are the input [EMBED_DIM]
  std::size_t max_spikes = 0;                ///< larger counts are clipped to it; the table has max_spikes + 2 rows
  std::size_t decoder_layers = 1;            ///< 1, or else two with 16 units between them [DECODER.LAYERS]
  std::int64_t context_forward = 4;          ///< bins ahead in one layer; negative: all [CONTEXT_FORWARD]
  std::int64_t context_backward = 8;         ///< bins back in one layer; 0 or negative: all [CONTEXT_BACKWARD]
  bool full_context = false;                 ///< every bin sees every bin [FULL_CONTEXT]
  bool context_wrap_initial = false;         ///< the first context_backward bins see one another [CONTEXT_WRAP_INITIAL]
  bool linear_embedder = false;              ///< a matrix instead of a table [LINEAR_EMBEDDER]
  bool learnable_position = false;           ///< else sinusoidal, as stored with the weights [LEARNABLE_POSITION]
  bool position_offset = true;               ///< sinusoidal positions count from 1 [POSITION.OFFSET]; kept for
                                             ///< who makes a table: a stored one is used as it is
  bool pre_norm = false;                     ///< norms before attention and feed-forward, else after [PRE_NORM]
  bool scale_norm = false;                   ///< the final norm alone is a scale norm [SCALE_NORM]
  bool lograte = true;                       ///< the output is log rates, else rates [LOGRATE]
  Activation activation = Activation::relu;  ///< of the feed-forward layer [ACTIVATION]
  double norm_epsilon = 1e-5;                ///< of layer norms, and the clamp of a scale norm

  /// Units between the two layers of a deep decoder (reference: src/model.py).
  static constexpr std::size_t decoder_hidden = 16;
  /// No size may be larger: sums of products of three of them then fit 64 bits.
  static constexpr std::size_t largest_size = std::size_t{1} << 20;

  constexpr bool operator==(const ModelConfig&) const noexcept = default;

  /// D, the width of the encoder: N * max(EMBED_DIM, 1).
  constexpr std::size_t width() const noexcept { return neurons * max_size(embed_dim, 1); }
  constexpr std::size_t head_width() const noexcept { return width() / heads; }
  /// Rows of the embedding table: 0 ... max_spikes, and the token of a non-zero mask.
  constexpr std::size_t table_rows() const noexcept { return max_spikes + 2; }
  constexpr bool has_table() const noexcept { return embed_dim != 0 && !linear_embedder; }
  constexpr bool has_deep_decoder() const noexcept { return decoder_layers != 1; }

  /// What a bin sees in one layer. CONTEXT_WRAP_INITIAL means what the reference intends: full attention inside the
  /// first CONTEXT_BACKWARD bins. (Its own code stops on a type error there, so no recorded result exists.)
  constexpr Band band() const noexcept {
    if (full_context) return {};
    // More than any trial has is all, also where size_t has 32 bits.
    const auto bins = [](std::int64_t context) {
      return context >= static_cast<std::int64_t>(largest_size) ? dyn : static_cast<std::size_t>(context);
    };
    Band band;
    if (context_forward >= 0) band.forward = bins(context_forward);
    if (context_backward > 0) {
      band.backward = bins(context_backward);
      if (context_wrap_initial) band.wrap = band.backward;
    }
    return band;
  }

  /// Whether such a model can exist.
  constexpr Status validate() const noexcept {
    struct Size {
      const char* name;
      std::size_t value;
    };
    const Size sizes[] = {{"neurons", neurons},       {"trial_length", trial_length},    {"layers", layers},
                          {"heads", heads},           {"hidden_size", hidden_size},      {"width", width()},
                          {"max_spikes", max_spikes}, {"decoder_layers", decoder_layers}};
    if (embed_dim > 1 && neurons > largest_size / embed_dim) {
      return {Error::size_too_large, "width", Extents(largest_size / neurons), Extents(embed_dim)};
    }
    for (const Size& size : sizes) {
      if (size.value == 0) return {Error::size_is_zero, size.name, {}, {}};
      if (size.value > largest_size)
        return {Error::size_too_large, size.name, Extents(largest_size), Extents(size.value)};
    }
    if (width() % heads != 0) return {Error::heads_do_not_divide_width, "heads", Extents(width()), Extents(heads)};
    if (!learnable_position && width() % 2 != 0) {
      return {Error::odd_width_for_sinusoidal_positions, "width", {}, Extents(width())};
    }
    // Weights and workspace must be countable in size_t, which has 32 bits on a microcontroller.
    const std::uint64_t T = trial_length, D = width(), F = hidden_size, N = neurons;
    const std::uint64_t padded = D + heads * std::uint64_t{16};
    const std::uint64_t elements = layers * (4 * (D + 16) * (D + 16) + 2 * (D + 16) * (F + 16)) +
                                   (T + 16) * (8 * padded + F + N) + (D + 16) * (N + 16) + table_rows() * embed_dim;
    if (elements > std::numeric_limits<std::size_t>::max() / 64) {
      return {Error::size_too_large, "weights and workspace", {}, {}};
    }
    if (!(norm_epsilon >= 1e-30 && norm_epsilon < 1.0)) return {Error::epsilon_not_positive, "norm_epsilon", {}, {}};
    return {};
  }
};

}  // namespace ndt::inline NDT_TARGET

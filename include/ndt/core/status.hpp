// ndt/core/status.hpp: why something was refused, as a value. Nothing here allocates or throws.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "ndt/config.hpp"
#include "ndt/core/name.hpp"

namespace ndt::inline NDT_TARGET {

enum class Error : std::uint8_t {
  none,
  size_is_zero,
  size_too_large,
  heads_do_not_divide_width,
  odd_width_for_sinusoidal_positions,
  epsilon_not_positive,
  tensor_missing,
  tensor_shape,
  tensor_not_finite,
  position_index_out_of_range,
  memory_too_small,
  look_ahead_without_limit,
  wrap_needs_delayed,
  window_too_long,
  past_end_with_delay,
  readout_needs_log_rates,
  readout_of_another_model,
  recalibration_needs_readout,
  out_of_range,
};

/// The messages, one for each Error and in the same order.
inline constexpr std::array<std::string_view, 19> error_messages = {
    "no error",
    "a size is zero",
    "a size is too large",
    "the number of heads does not divide the model's width",
    "sinusoidal positions need an even width",
    "a norm's epsilon is not a positive number",
    "a tensor is missing",
    "a tensor has another shape",
    "a tensor holds NaN or infinity",
    "a stored position is outside the position table",
    "the memory given is too small",
    "the policy delayed cannot serve a model that looks ahead without limit",
    "CONTEXT_WRAP_INITIAL is served by the policy delayed alone",
    "the window is longer than the model's positions",
    "a stream with a delay cannot go on with a window",
    "a read-out of log rates needs a model that gives them",
    "the read-out was fitted for another model",
    "a decoder without a read-out has none to fit again",
    "a number is out of its range",
};
static_assert(error_messages.size() == static_cast<std::size_t>(Error::out_of_range) + 1);

/// Up to four sizes of a tensor.
struct Extents {
  std::size_t rank = 0;
  std::array<std::size_t, 4> size{};

  constexpr Extents() noexcept = default;
  template <class... N>
  constexpr explicit Extents(std::size_t first, N... rest) noexcept
      : rank(1 + sizeof...(N)), size{first, static_cast<std::size_t>(rest)...} {}
  constexpr bool operator==(const Extents&) const noexcept = default;
  /// The product; 1 for rank 0.
  constexpr std::size_t count() const noexcept {
    std::size_t product = 1;
    for (std::size_t i = 0; i < rank; ++i) product *= size[i];
    return product;
  }
};

/// The answer of everything that can be refused: what is wrong, where, what was expected and what was found.
struct [[nodiscard]] Status {
  Error error = Error::none;
  Name where{};        ///< a tensor or a setting
  Extents expected{};  ///< shapes of a tensor, or single numbers
  Extents found{};

  constexpr bool ok() const noexcept { return error == Error::none; }
  constexpr std::string_view message() const noexcept { return error_messages[static_cast<std::size_t>(error)]; }
};

}  // namespace ndt::inline NDT_TARGET

// ndt/model/shape.hpp: a ModelConfig as a type or as data. Layers ask a shape for its sizes and never know which.
#pragma once

#include <cstddef>

#include "ndt/config.hpp"
#include "ndt/core/dim.hpp"
#include "ndt/model/config.hpp"

namespace ndt::inline NDT_TARGET {

/// A shape that the compiler knows. Empty; an impossible one does not compile.
template <ModelConfig C>
struct StaticShape {
  static_assert(C.validate().ok(), "no such model can exist: see ModelConfig::validate");
  static constexpr ModelConfig config = C;

  static constexpr auto neurons() noexcept { return Dim<C.neurons>{}; }
  static constexpr auto width() noexcept { return Dim<C.width()>{}; }
  static constexpr auto hidden_size() noexcept { return Dim<C.hidden_size>{}; }
};

/// A shape read from data. Check it with config.validate() before use; bind() of a model does.
struct DynamicShape {
  ModelConfig config{};

  constexpr auto neurons() const noexcept { return Dim<dyn>{config.neurons}; }
  constexpr auto width() const noexcept { return Dim<dyn>{config.width()}; }
  constexpr auto hidden_size() const noexcept { return Dim<dyn>{config.hidden_size}; }
};

}  // namespace ndt::inline NDT_TARGET

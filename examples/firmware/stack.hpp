// stack.hpp: how much stack was ever used. The startup paints it; what lost its colour was used.
#pragma once

#include <cstdint>

extern "C" std::uint32_t stack_bottom[], stack_top[];  // of the linker script

namespace stack {

inline constexpr std::uint32_t colour = 0xC5C5C5C5;

/// Bytes between the top and the deepest word that was written to.
inline std::uint32_t used() {
  const std::uint32_t* word = stack_bottom;
  while (word != stack_top && *word == colour) ++word;
  return static_cast<std::uint32_t>(stack_top - word) * sizeof(std::uint32_t);
}

}  // namespace stack

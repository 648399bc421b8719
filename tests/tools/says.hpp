// Whether a refusal says what it should.
#pragma once

#include <string>

#include "files.hpp"

namespace support {

/// Whether every one of `parts` is in `text`.
template <class... Parts>
bool says(const std::string& text, const Parts&... parts) {
  return (has(text, parts) && ...);
}

}  // namespace support

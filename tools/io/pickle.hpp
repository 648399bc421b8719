// tools/io/pickle.hpp: a reader of Python pickles that builds plain data and runs nothing.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "pickle_value.hpp"

namespace tool::pickle {

/// Reads the pickle at the start of `bytes`, which must outlive the result. Understands the instructions (of protocols
/// 2 to 5) and the names that a checkpoint needs; refuses all others by name. Memory and time are bounded by the size
/// of the pickle. `where` and `base` say in messages what the bytes are and where they begin in it.
Document parse(std::string_view bytes, const std::string& where, std::size_t base = 0);

}  // namespace tool::pickle

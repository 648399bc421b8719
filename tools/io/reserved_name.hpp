// tools/io/reserved_name.hpp: what a model may be called.
#pragma once

#include <string>

namespace tool {

/// Throws Refused unless `name` can be a namespace in C++ source that includes what it likes: an identifier, and none
/// that the language, the standard library, its macros or this library have taken.
void check_model_name(const std::string& name);

}  // namespace tool

// tools/io/pickle_build.hpp: what the names that a pickle may use make of their arguments.
#pragma once

#include <string>
#include <string_view>

#include "pickle_value.hpp"

namespace tool::pickle {

/// The global module.name, or Refused.
Value find_global(std::string_view module, std::string_view name, const std::string& place);

/// callable(*arguments): the new value, or the place of one that is already there.
struct Built {
  std::optional<Ref> existing;
  Value value{};
};
Built call(Document& document, Ref callable, Ref arguments, const std::string& place);

/// Gives `object` a state (what __setstate__ or __dict__ would take).
void set_state(const Document& document, Ref object, Ref state, const std::string& place);

/// What a persistent id stands for: a storage.
Value storage_of(Document& document, Ref id, const std::string& place);

}  // namespace tool::pickle

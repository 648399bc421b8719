// tools/io/json_text.hpp: JSON from a file that may be hostile.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace tool {

/// Parses `text`, which must be one JSON object of a few levels without a key twice. Throws Refused. `base` is where
/// the text begins in what `where` names. Takes n log n for n keys.
nlohmann::json parse_json(std::string_view text, const std::string& where, std::size_t base = 0);

/// The value of a key such as MODEL.DECODER.LAYERS in nested objects, made where it is missing.
nlohmann::json& at_key(nlohmann::json& root, std::string_view key);

/// A key, dots between its levels, whose values in two JSON objects differ: as JSON text, empty where there is none.
struct JsonDifference {
  std::string key, theirs, ours;
};
/// In the order of the keys; `theirs` and `where` are of a file. Throws Refused as parse_json does.
std::vector<JsonDifference> json_differences(const std::string& theirs, const std::string& ours,
                                             const std::string& where);

}  // namespace tool

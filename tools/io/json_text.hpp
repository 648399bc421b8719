// tools/io/json_text.hpp: JSON from a file that may be hostile.
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace tool {

/// Parses `text`, which must be one JSON object of a few levels without a key twice. Throws Refused. `base` is where
/// the text begins in what `where` names.
nlohmann::json parse_json(std::string_view text, const std::string& where, std::size_t base = 0);

/// The value of a key such as MODEL.DECODER.LAYERS in nested objects, made where it is missing.
nlohmann::json& at_key(nlohmann::json& root, std::string_view key);

}  // namespace tool

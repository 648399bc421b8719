// tools/io/yaml_entries.hpp: the settings in a YAML file that may be hostile.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "config_entry.hpp"

namespace tool {

/// The values of one YAML document of nested sections, in the order of the text. What the reference's configuration
/// files need and no more: lists, anchors, aliases, tags and a second document are refused, as are a key twice and an
/// empty value. Throws Refused.
///
/// The parser, yaml-cpp, recurses and is built with its assertions on, which end the process: it runs in one of its own
/// (isolated.hpp).
std::vector<ConfigEntry> parse_yaml(std::string_view text, const std::string& where);

/// The same from a file.
std::vector<ConfigEntry> read_yaml(const std::filesystem::path& path);

}  // namespace tool

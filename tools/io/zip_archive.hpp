// tools/io/zip_archive.hpp: the contents of a zip archive in memory.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace tool {

/// Every entry's content by name, unpacked and held against its checksum. Stored and deflated entries are read. Throws
/// Refused for an archive that is damaged anywhere. `where` names the archive in messages.
std::map<std::string, std::string, std::less<>> read_zip(std::string_view bytes, const std::string& where);

}  // namespace tool

// tools/io/zip_layout.hpp: whether a zip archive is put together as its writer left it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tool {

/// A zip archive has a checksum for the content of each entry and none for all that stands between them. What is there
/// twice is compared, what must be zero or padding is checked, and every byte must belong to something: so damage
/// outside the contents shows as well, but for what is in a comment behind the archive. Returns how many bytes the
/// contents have. Throws Refused.
std::size_t check_zip_layout(std::string_view bytes, const std::string& where);

}  // namespace tool

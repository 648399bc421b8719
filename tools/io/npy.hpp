// tools/io/npy.hpp: NumPy's .npy files, versions 1 to 3, parsed strictly: what numpy.save writes and nothing else.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

#include "numbers.hpp"

namespace tool {

/// The array in C order, whatever the order in the file. Types: b1, i1 to i8, u1 to u8, f2, f4, f8 of either byte
/// order; anything else, objects above all, is Refused. So is a size other than the header says. `where` is for
/// messages.
NumberArray parse_npy(std::span<const std::byte> file, const std::string& where);
NumberArray read_npy(const std::filesystem::path& path);

}  // namespace tool

// .npy files put together by hand, whole or wrong.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>
#include <string>
#include <vector>

namespace support {

/// Magic, version, length and `dict`, padded as numpy does it; `payload` as it is.
inline std::string npy(const std::string& dict, const std::string& payload, int version = 1) {
  const std::size_t start = version == 1 ? 10 : 12;
  std::string header = dict;
  while ((start + header.size() + 1) % 64 != 0) header += ' ';
  header += '\n';
  std::string file = "\x93NUMPY";
  file += static_cast<char>(version);
  file += '\0';
  for (std::size_t i = 0; i < start - 8; ++i) file += static_cast<char>(header.size() >> (8 * i));
  return file + header + payload;
}

inline std::string npy_dict(const std::string& type, const std::string& shape, bool fortran = false) {
  return "{'descr': '" + type + "', 'fortran_order': " + (fortran ? "True" : "False") + ", 'shape': " + shape + ", }";
}

/// The bytes of `values` in the machine's order (every machine of ours is little-endian), or turned round.
template <class T>
std::string bytes_of(const std::vector<T>& values, bool swapped = false) {
  std::string bytes(values.size() * sizeof(T), '\0');
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::memcpy(bytes.data() + i * sizeof(T), &values[i], sizeof(T));
    if (swapped) std::reverse(bytes.begin() + long(i * sizeof(T)), bytes.begin() + long((i + 1) * sizeof(T)));
  }
  return bytes;
}

inline std::span<const std::byte> as_bytes(const std::string& text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

}  // namespace support

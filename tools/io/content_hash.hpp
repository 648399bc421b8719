// tools/io/content_hash.hpp: one number for everything that a model file says.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace tool {

/// SHA-256, as 64 lower-case hexadecimal digits, over
///   the number of metadata entries, then each by key: key, value;
///   the number of tensors, then each by name: name, type as in the file, rank, sizes, data as in the file.
/// Numbers are 64-bit little-endian; texts and data have their length in bytes in front of them.
class ContentHash {
 public:
  ContentHash();
  ~ContentHash();

  void number(std::uint64_t value);
  void bytes(std::string_view value);
  std::string digits();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tool

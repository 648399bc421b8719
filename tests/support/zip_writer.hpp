// Writes zip archives exactly as PyTorch does: contents on 64-byte boundaries, padding of letters Z, sizes behind the
// contents, and a second end with 64-bit numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace support {

/// Little-endian.
template <class T>
std::string number_bytes(T value) {
  std::string bytes;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    bytes += static_cast<char>(static_cast<unsigned char>(static_cast<std::uint64_t>(value) >> 8 * i));
  }
  return bytes;
}

inline std::uint32_t crc32(std::string_view bytes) {
  std::uint32_t crc = 0xffffffffu;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xedb88320u : 0u);
  }
  return ~crc;
}

/// Blocks that are deflate by name and stored by nature.
inline std::string deflated(std::string_view bytes) {
  std::string result;
  do {
    const std::size_t size = bytes.size() < 0xffff ? bytes.size() : 0xffff;
    result += size == bytes.size() ? '\1' : '\0';
    result += number_bytes(static_cast<std::uint16_t>(size)) + number_bytes(static_cast<std::uint16_t>(~size));
    result += bytes.substr(0, size);
    bytes.remove_prefix(size);
  } while (!bytes.empty());
  return result;
}

using Entries = std::vector<std::pair<std::string, std::string>>;

inline std::string zip_bytes(const Entries& entries, bool deflate = false) {
  const auto u16 = [](std::size_t n) { return number_bytes(static_cast<std::uint16_t>(n)); };
  const auto u32 = [](std::size_t n) { return number_bytes(static_cast<std::uint32_t>(n)); };
  const auto u64 = [](std::size_t n) { return number_bytes(static_cast<std::uint64_t>(n)); };
  std::string file, directory;
  for (const auto& [name, content] : entries) {
    const std::size_t offset = file.size();
    const std::string data = deflate ? deflated(content) : content;
    // Version, flags (sizes behind the content, UTF-8), method, time and date.
    const std::string common = u16(0) + u16(0x808) + u16(deflate ? 8 : 0) + u32(0);
    const std::string sizes = u32(crc32(content)) + u32(data.size()) + u32(content.size());
    const std::size_t start = offset + 30 + name.size() + 4, padding = (64 - start % 64) % 64;
    file += "PK\3\4" + common + std::string(12, '\0') + u16(name.size()) + u16(padding + 4) + name;
    file += "FB" + u16(padding) + std::string(padding, 'Z') + data;
    file += "PK\7\10" + sizes;
    directory += "PK\1\2" + u16(0) + common + sizes + u16(name.size()) + std::string(12, '\0') + u32(offset) + name;
  }
  const std::size_t at = file.size(), end = at + directory.size(), count = entries.size();
  file += directory;
  file +=
      "PK\6\6" + u64(44) + u16(0x031e) + u16(45) + u64(0) + u64(count) + u64(count) + u64(directory.size()) + u64(at);
  file += "PK\6\7" + u32(0) + u64(end) + u32(1);
  file += "PK\5\6" + u32(0) + u16(count) + u16(count) + u32(directory.size()) + u32(at) + u16(0);
  return file;
}

/// As zip tools write what may be larger than 4 GiB: sizes, offsets and counts in 64-bit fields alone. Streamed: the
/// sizes stand behind the contents.
inline std::string zip64_bytes(const Entries& entries, bool streamed) {
  const auto u16 = [](std::size_t n) { return number_bytes(static_cast<std::uint16_t>(n)); };
  const auto u32 = [](std::size_t n) { return number_bytes(static_cast<std::uint32_t>(n)); };
  const auto u64 = [](std::size_t n) { return number_bytes(static_cast<std::uint64_t>(n)); };
  const std::string wide = u32(0xffffffff);
  std::string file, directory;
  for (const auto& [name, content] : entries) {
    const std::size_t offset = file.size(), size = content.size();
    const std::string common = u16(45) + u16(streamed ? 8 : 0) + u16(0) + u32(0x00210000), crc = u32(crc32(content));
    const std::string sizes = u64(size) + u64(size), none = u64(0) + u64(0);
    file += "PK\3\4" + common + (streamed ? u32(0) : crc) + wide + wide + u16(name.size()) + u16(20) + name;
    file += u16(1) + u16(16) + (streamed ? none : sizes) + content;
    if (streamed) file += "PK\7\10" + crc + sizes;
    directory += "PK\1\2" + u16(0x032d) + common + crc + wide + wide + u16(name.size()) + u16(28) + u16(0) + u32(0) +
                 u32(0) + wide + name + u16(1) + u16(24) + sizes + u64(offset);
  }
  const std::size_t at = file.size(), end = at + directory.size(), count = entries.size();
  file += directory;
  file += "PK\6\6" + u64(44) + u16(45) + u16(45) + u64(0) + u64(count) + u64(count) + u64(directory.size()) + u64(at);
  file += "PK\6\7" + u32(0) + u64(end) + u32(1);
  file += "PK\5\6" + u32(0) + u16(0xffff) + u16(0xffff) + wide + wide + u16(0);
  return file;
}

}  // namespace support

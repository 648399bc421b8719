// tools/io/bytes.hpp: reading bytes that came from somebody else. Every access is checked against what is there.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "refused.hpp"

namespace tool {

static_assert(std::endian::native == std::endian::little, "files are little-endian and read as they are");

/// The number at `offset`. The caller has checked that it is there.
template <class T>
T load(std::string_view bytes, std::size_t offset = 0) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

inline std::optional<std::size_t> checked_product(std::size_t a, std::size_t b) {
  std::size_t result = 0;
  if (__builtin_mul_overflow(a, b, &result)) return std::nullopt;
  return result;
}
inline std::optional<std::size_t> checked_sum(std::size_t a, std::size_t b) {
  std::size_t result = 0;
  if (__builtin_add_overflow(a, b, &result)) return std::nullopt;
  return result;
}

/// Text from a file as it may stand in a message: one line, printable, not long.
inline std::string printable(std::string_view text) {
  static constexpr std::size_t longest = 96;
  std::string result;
  for (const char c : text.substr(0, longest)) result += c >= ' ' && c <= '~' ? c : '?';
  if (text.size() > longest) result += "...";
  return result;
}

/// A position in bytes that only moves forward.
class Cursor {
 public:
  /// `base` is where `bytes` begin in what `where` names; messages count from there.
  Cursor(std::string_view bytes, std::string where, std::size_t base = 0)
      : bytes_(bytes), where_(std::move(where)), base_(base) {}

  std::size_t position() const { return position_; }
  std::size_t left() const { return bytes_.size() - position_; }
  /// Where byte `position` is, for a message.
  std::string place(std::size_t position) const { return where_ + " byte " + std::to_string(base_ + position); }
  std::string place() const { return place(position_); }

  std::string_view take(std::uint64_t count, const char* what) {
    if (count > left()) {
      throw Refused(std::string(what) + " ends after " + counted(left(), "byte"), place(),
                    "it needs " + counted(count, "byte") + ": the file is cut short or damaged");
    }
    const std::string_view taken = bytes_.substr(position_, count);
    position_ += count;
    return taken;
  }
  template <class T>
  T number(const char* what) {
    return load<T>(take(sizeof(T), what));
  }
  /// Up to the next newline, which is skipped.
  std::string_view line(const char* what) {
    const std::size_t end = bytes_.find('\n', position_);
    if (end == std::string_view::npos) throw Refused(std::string(what) + " has no end", place(), "a line is expected");
    const std::string_view text = bytes_.substr(position_, end - position_);
    position_ = end + 1;
    return text;
  }

 private:
  std::string_view bytes_;
  std::string where_;
  std::size_t base_;
  std::size_t position_ = 0;
};

}  // namespace tool

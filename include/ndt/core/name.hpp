// ndt/core/name.hpp: a tensor's name, built from parts without a heap.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "ndt/config.hpp"

namespace ndt::inline NDT_TARGET {

/// A short text of fixed capacity. The longest name of the model has 60 characters; what does not fit is cut.
class Name {
 public:
  constexpr Name() noexcept = default;
  constexpr Name(std::string_view text) noexcept { append(text); }
  constexpr Name(const char* text) noexcept : Name(std::string_view(text)) {}

  constexpr Name& append(std::string_view text) noexcept {
    for (const char c : text) {
      if (size_ < text_.size()) text_[size_++] = c;
    }
    return *this;
  }
  constexpr Name& append_number(std::size_t number) noexcept {
    if (number >= 10) append_number(number / 10);
    const char digit = static_cast<char>('0' + number % 10);
    return append(std::string_view(&digit, 1));
  }
  /// This name with `text` behind it.
  constexpr Name operator+(std::string_view text) const noexcept { return Name(*this).append(text); }
  constexpr std::string_view view() const noexcept { return {text_.data(), size_}; }
  constexpr operator std::string_view() const noexcept { return view(); }

 private:
  std::array<char, 96> text_{};
  std::size_t size_ = 0;
};

/// In place of a Name where only the order of the tensors matters.
struct NoName {
  constexpr NoName operator+(std::string_view) const noexcept { return {}; }
};

}  // namespace ndt::inline NDT_TARGET

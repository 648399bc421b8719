#include "numbers.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace tool {

std::optional<std::size_t> element_count(const Shape& shape) {
  std::size_t count = 1;
  for (const std::size_t size : shape) {
    if (__builtin_mul_overflow(count, size, &count)) return {};
  }
  return count;
}

std::size_t most_bytes() {
  constexpr std::size_t ceiling = std::size_t{16} << 30;
  const long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
  if (pages <= 0 || page <= 0) return ceiling;
  return std::min(ceiling, static_cast<std::size_t>(pages) / 2 * static_cast<std::size_t>(page));
}

std::string text(const Shape& shape) {
  std::string result = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) result += (i ? ", " : "") + std::to_string(shape[i]);
  return result + "]";
}

UnbelievableShape::UnbelievableShape(const Shape& shape, std::size_t most_bytes)
    : what("the dataset claims the shape " + text(shape)),
      right("at most " + std::to_string(most_bytes) + " bytes are believed of this file on this machine") {}

std::string index_text(const Shape& shape, std::size_t flat) {
  Shape index(shape.size());
  for (std::size_t i = shape.size(); i-- > 0;) {
    index[i] = flat % shape[i];
    flat /= shape[i];
  }
  return text(index);
}

std::string text(double value) {
  if (std::isnan(value)) return "nan";  // to_chars would tell the sign of a NaN, which nobody wants to know
  std::array<char, 32> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  return {digits.data(), end};
}

std::string one_line(std::string_view name) {
  std::string result(name.substr(0, 200));
  for (char& c : result) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  if (result.size() < name.size()) result += "...";
  return result;
}

std::string listed(const std::vector<std::string>& names, std::size_t shown) {
  std::string list;
  for (std::size_t i = 0; i < std::min(shown, names.size()); ++i) list += (i > 0 ? ", " : "") + one_line(names[i]);
  if (names.size() > shown) list += " and " + std::to_string(names.size() - shown) + " more";
  return list;
}

}  // namespace tool

// tools/io/numbers.hpp: arrays as data files hold them, and the one rule by which their numbers change type.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "refused.hpp"

namespace tool {

using Shape = std::vector<std::size_t>;

/// In C order; shape {} is one number.
template <class T>
struct Array {
  Shape shape;
  std::vector<T> values;
};

/// The smallest of these types that holds every value of the type on disk.
using Numbers = std::variant<std::vector<float>, std::vector<double>, std::vector<std::int32_t>,
                             std::vector<std::int64_t>, std::vector<std::uint64_t>>;

struct NumberArray {
  Shape shape;
  Numbers values;
};

/// The product, if it fits; 1 for shape {}.
std::optional<std::size_t> element_count(const Shape& shape);
/// More than this is not believed of an array, whatever its file says: 16 GiB or half of this machine's memory.
std::size_t most_bytes();

/// "[19, 31, 71]".
std::string text(const Shape& shape);

/// The refusal of a dataset whose shape asks for more than `most_bytes`, which is all that is believed of its file.
struct UnbelievableShape {
  UnbelievableShape(const Shape& shape, std::size_t most_bytes);
  std::string what, right;
};

/// The multi-index of element `flat`, as text.
std::string index_text(const Shape& shape, std::size_t flat);
/// The shortest digits that give the same number back; "nan", "inf".
std::string text(double value);
inline std::string text(float value) { return text(static_cast<double>(value)); }
template <class T>
requires std::is_integral_v<T> std::string text(T value) { return std::to_string(value); }
/// Names out of files, fit for a line of an error: control characters become '?', and it ends after 200 bytes.
std::string one_line(std::string_view name);
/// "a, b and 3 more": names out of files, `shown` of them at most.
std::string listed(const std::vector<std::string>& names, std::size_t shown);

/// `value` as To, or nothing if that would be another number. Between floating types only the range counts: rounding
/// a double to float is what every framework does on loading. NaN and infinity stay what they are.
template <class To, class From>
std::optional<To> exactly(From value) {
  if constexpr (std::is_same_v<To, From>) {
    return value;
  } else if constexpr (std::is_floating_point_v<To> && std::is_floating_point_v<From>) {
    if constexpr (sizeof(To) < sizeof(From)) {
      if (std::isfinite(value) && std::abs(value) > static_cast<From>(std::numeric_limits<To>::max())) return {};
    }
    return static_cast<To>(value);
  } else if constexpr (std::is_floating_point_v<To>) {
    const To rounded = static_cast<To>(value);
    // 2^63 or 2^64 itself would overflow on the way back.
    if (rounded >= std::ldexp(To(1), std::numeric_limits<From>::digits)) return {};
    if (static_cast<From>(rounded) != value) return {};
    return rounded;
  } else if constexpr (std::is_floating_point_v<From>) {
    const From limit = std::ldexp(From(1), std::numeric_limits<To>::digits);
    const bool inside = value < limit && value >= (std::is_signed_v<To> ? -limit : From(0));  // false for NaN
    if (!inside || value != std::trunc(value)) return {};
    return static_cast<To>(value);
  } else {
    if (!std::in_range<To>(value)) return {};
    return static_cast<To>(value);
  }
}

/// `what_it_is` is for the message: "a float32", "a whole number".
template <class To>
Array<To> converted(NumberArray&& from, const std::string& where, const char* what_it_is) {
  return std::visit(
      [&](auto& source) -> Array<To> {
        using Vector = std::remove_cvref_t<decltype(source)>;
        if constexpr (std::is_same_v<typename Vector::value_type, To>) {
          return {std::move(from.shape), std::move(source)};
        } else {
          Array<To> result{std::move(from.shape), {}};
          result.values.reserve(source.size());
          for (const auto value : source) {
            const std::optional<To> same = exactly<To>(value);
            if (!same) {
              throw Refused("the number " + text(value) + " at " + index_text(result.shape, result.values.size()),
                            where, std::string("every value must be ") + what_it_is);
            }
            result.values.push_back(*same);
          }
          return result;
        }
      },
      from.values);
}

}  // namespace tool

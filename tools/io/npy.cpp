#include "npy.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

#include "bytes.hpp"
#include "input_file.hpp"
#include "refused.hpp"

namespace tool {

namespace {

constexpr std::size_t max_header = 65536;  // numpy itself reads 10000 unless told otherwise
constexpr std::size_t max_rank = 32;

struct Header {
  char order = 0, kind = 0;
  std::size_t bytes = 0;  ///< of one value
  bool fortran = false;
  Shape shape;
};

/// A cursor over the header's text: a Python dict of three known keys, read without Python.
class HeaderParser {
 public:
  HeaderParser(std::string_view text, const std::string& where) : text_(text), where_(where) {}

  Header parse() {
    Header header;
    bool has_type = false, has_order = false, has_shape = false;
    expect('{');
    while (!accept('}')) {
      const std::string_view key = quoted();
      expect(':');
      if (key == "descr" && !std::exchange(has_type, true)) {
        type(header);
      } else if (key == "fortran_order" && !std::exchange(has_order, true)) {
        header.fortran = truth();
      } else if (key == "shape" && !std::exchange(has_shape, true)) {
        header.shape = shape();
      } else {
        refuse("key " + printable(key) + " is unknown or there twice");
      }
      if (accept('}')) break;
      expect(',');
    }
    spaces();
    if (at_ != text_.size()) refuse("something follows the dict");
    if (!has_type || !has_order || !has_shape) refuse("it needs the keys descr, fortran_order and shape");
    return header;
  }

 private:
  [[noreturn]] void refuse(const std::string& why) const {
    throw Refused("a bad .npy header: " + why, where_ + " byte " + std::to_string(at_) + " of the header",
                  "a file as numpy.save writes it is needed");
  }
  void spaces() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
  }
  bool accept(char c) {
    spaces();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) refuse(std::string("there is no ") + c);
  }
  std::string_view quoted() {
    const char quote = accept('\'') ? '\'' : accept('"') ? '"' : '\0';
    const auto end = quote ? text_.find(quote, at_) : std::string_view::npos;
    if (end == std::string_view::npos) refuse("there is no quoted word");
    const std::string_view word = text_.substr(at_, end - at_);
    at_ = end + 1;
    return word;
  }
  bool truth() {
    spaces();
    for (const auto& [word, value] : {std::pair{std::string_view("True"), true}, {"False", false}}) {
      if (!text_.substr(at_).starts_with(word)) continue;
      at_ += word.size();
      return value;
    }
    refuse("there is neither True nor False");
  }
  void type(Header& header) {
    if (accept('[')) unsupported("a structure");
    const std::string_view name = quoted();
    if (name.size() != 3 || name[2] < '0' || name[2] > '9') unsupported(printable(name));
    header.order = name[0];
    header.kind = name[1];
    header.bytes = static_cast<std::size_t>(name[2] - '0');
    constexpr std::string_view known[] = {"b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"};
    if (std::find(std::begin(known), std::end(known), name.substr(1)) == std::end(known)) unsupported(printable(name));
    if (std::string_view("<>=|").find(header.order) == std::string_view::npos) unsupported(printable(name));
    if (header.order == '|' && header.bytes != 1) unsupported(printable(name));
  }
  [[noreturn]] void unsupported(const std::string& name) const {
    throw Refused("an array of type " + name, where_,
                  "integers, floats of 2, 4 or 8 bytes, or truth values are needed");
  }
  Shape shape() {
    Shape result;
    expect('(');
    while (!accept(')')) {
      result.push_back(number());
      if (result.size() > max_rank) refuse("there are more than 32 dimensions");
      if (accept(')')) {
        if (result.size() == 1) refuse("a tuple of one number needs a comma");
        break;
      }
      expect(',');
    }
    return result;
  }
  std::size_t number() {
    spaces();
    const std::size_t first = at_;
    std::size_t value = 0;
    for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
      const auto digit = static_cast<std::size_t>(text_[at_] - '0');
      if (__builtin_mul_overflow(value, std::size_t{10}, &value) || __builtin_add_overflow(value, digit, &value)) {
        refuse("a size is too large");
      }
    }
    if (at_ == first) refuse("there is no size");
    if (at_ < text_.size() && text_[at_] == 'L') ++at_;  // Python 2 wrote its long integers so
    return value;
  }

  std::string_view text_;
  const std::string& where_;
  std::size_t at_ = 0;
};

float from_half(std::uint16_t half) {
  const int exponent = (half >> 10) & 31, mantissa = half & 1023;
  float value = std::ldexp(static_cast<float>(exponent ? mantissa + 1024 : mantissa), (exponent ? exponent : 1) - 25);
  if (exponent == 31) {
    value = mantissa ? std::numeric_limits<float>::quiet_NaN() : std::numeric_limits<float>::infinity();
  }
  return half & 0x8000 ? -value : value;
}

/// The value at `from`, bytes turned round if need be.
template <class Stored>
Stored load(const std::byte* from, bool swap) {
  std::array<std::byte, sizeof(Stored)> bytes;
  std::memcpy(bytes.data(), from, sizeof(Stored));
  if (swap) std::reverse(bytes.begin(), bytes.end());
  return std::bit_cast<Stored>(bytes);
}

struct Half {
  std::uint16_t bits;
};

template <class Stored, class Kept>
Kept kept(Stored value) {
  if constexpr (std::is_same_v<Stored, Half>) {
    return from_half(value.bits);
  } else {
    return static_cast<Kept>(value);
  }
}

template <class Stored, class Kept>
std::vector<Kept> decoded(const std::byte* payload, std::size_t count, bool swap, const Header& header) {
  std::vector<Kept> values(count);
  if (!header.fortran) {
    for (std::size_t i = 0; i < count; ++i)
      values[i] = kept<Stored, Kept>(load<Stored>(payload + i * sizeof(Stored), swap));
    return values;
  }
  // The first index runs fastest in the file, the last one in memory: count like an odometer.
  const std::size_t rank = header.shape.size();
  Shape index(rank), stride(rank);
  for (std::size_t i = 0, step = 1; i < rank; step *= header.shape[i++]) stride[i] = step;
  std::size_t at = 0;
  for (std::size_t i = 0; i < count; ++i) {
    values[i] = kept<Stored, Kept>(load<Stored>(payload + at * sizeof(Stored), swap));
    for (std::size_t axis = rank; axis-- > 0;) {
      at += stride[axis];
      if (++index[axis] < header.shape[axis]) break;
      at -= stride[axis] * header.shape[axis];
      index[axis] = 0;
    }
  }
  return values;
}

Numbers decoded(const Header& header, const std::byte* payload, std::size_t count) {
  const bool swap =
      header.bytes > 1 && header.order != '=' && (header.order == '>') != (std::endian::native == std::endian::big);
  const auto as = [&]<class Stored, class Kept>(Stored, Kept) -> Numbers {
    return decoded<Stored, Kept>(payload, count, swap, header);
  };
  if (header.kind == 'f') {
    return header.bytes == 2 ? as(Half{}, 0.f) : header.bytes == 4 ? as(0.f, 0.f) : as(0.0, 0.0);
  }
  if (header.kind == 'i') {
    switch (header.bytes) {
      case 1:
        return as(std::int8_t{}, std::int32_t{});
      case 2:
        return as(std::int16_t{}, std::int32_t{});
      case 4:
        return as(std::int32_t{}, std::int32_t{});
      default:
        return as(std::int64_t{}, std::int64_t{});
    }
  }
  switch (header.bytes) {  // u, and b: a truth value is one byte
    case 1:
      return as(std::uint8_t{}, std::int32_t{});
    case 2:
      return as(std::uint16_t{}, std::int32_t{});
    case 4:
      return as(std::uint32_t{}, std::int64_t{});
    default:
      return as(std::uint64_t{}, std::uint64_t{});
  }
}

}  // namespace

NumberArray parse_npy(std::span<const std::byte> file, const std::string& where) {
  const auto byte = [&](std::size_t i) { return std::to_integer<std::size_t>(file[i]); };
  if (file.size() < 10 || std::memcmp(file.data(), "\x93NUMPY", 6) != 0) {
    throw Refused("not a .npy file", where, "a file as numpy.save writes it is needed");
  }
  const std::size_t version = byte(6), start = version == 1 ? 10 : 12;
  if (version < 1 || version > 3 || byte(7) != 0) {
    throw Refused(".npy version " + std::to_string(version) + "." + std::to_string(byte(7)), where,
                  "versions 1.0, 2.0 and 3.0 are read");
  }
  if (file.size() < start) throw Refused("a truncated .npy file", where, "a whole file is needed");
  std::size_t length = byte(8) | byte(9) << 8;
  if (version > 1) length |= byte(10) << 16 | byte(11) << 24;
  if (length > max_header || length > file.size() - start) {
    throw Refused("a .npy header of " + std::to_string(length) + " bytes in a file of " + std::to_string(file.size()),
                  where, "at most 65536 and not more than the file has");
  }
  Header header = HeaderParser({reinterpret_cast<const char*>(file.data()) + start, length}, where).parse();

  const std::span payload = file.subspan(start + length);
  const std::optional<std::size_t> count = element_count(header.shape);
  std::size_t bytes = 0;
  if (count == std::size_t{0})
    throw Refused("the array of shape " + text(header.shape) + " is empty", where, "no size may be 0");
  if (!count || __builtin_mul_overflow(*count, header.bytes, &bytes) || bytes != payload.size()) {
    throw Refused("an array of shape " + text(header.shape) + " and " + std::to_string(header.bytes) +
                      " bytes a value, with " + std::to_string(payload.size()) + " bytes of values",
                  where, "the two must agree: is the file whole?");
  }
  if (header.kind == 'b' && std::any_of(payload.begin(), payload.end(), [](std::byte b) { return b > std::byte{1}; })) {
    throw Refused("a truth value that is neither 0 nor 1", where, "a file as numpy.save writes it is needed");
  }
  Numbers values = decoded(header, payload.data(), *count);
  return {std::move(header.shape), std::move(values)};
}

NumberArray read_npy(const std::filesystem::path& path) { return parse_npy(InputFile(path).read_all(), path.string()); }

}  // namespace tool

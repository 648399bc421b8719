// tools/io/element_type.cpp
#include "element_type.hpp"

#include <bit>

#include "bytes.hpp"

namespace tool {

namespace {

/// IEEE 754 binary16, exactly.
float from_half(std::uint16_t half) {
  const std::uint32_t sign = std::uint32_t{half} >> 15 << 31, exponent = half >> 10 & 0x1f, mantissa = half & 0x3ff;
  if (exponent == 0x1f) return std::bit_cast<float>(sign | 0x7f800000u | mantissa << 13);
  if (exponent != 0) return std::bit_cast<float>(sign | (exponent + 112) << 23 | mantissa << 13);
  const float magnitude = static_cast<float>(mantissa) * 0x1p-24f;  // zero or subnormal
  return sign != 0 ? -magnitude : magnitude;
}

}  // namespace

std::size_t size_of(ElementType type) {
  switch (type) {
    case ElementType::f64:
    case ElementType::i64:
      return 8;
    case ElementType::f32:
    case ElementType::i32:
      return 4;
    case ElementType::f16:
    case ElementType::bf16:
    case ElementType::i16:
      return 2;
    case ElementType::i8:
    case ElementType::u8:
    case ElementType::boolean:
      break;
  }
  return 1;
}

bool is_floating(ElementType type) {
  return type == ElementType::f64 || type == ElementType::f32 || type == ElementType::f16 || type == ElementType::bf16;
}

void append_element(Tensor& tensor, ElementType type, std::string_view bytes, std::size_t index) {
  const std::size_t at = index * size_of(type);
  switch (type) {
    case ElementType::f64:
      tensor.values.push_back(static_cast<float>(load<double>(bytes, at)));
      break;
    case ElementType::f32:
      tensor.values.push_back(load<float>(bytes, at));
      break;
    case ElementType::f16:
      tensor.values.push_back(from_half(load<std::uint16_t>(bytes, at)));
      break;
    case ElementType::bf16:
      tensor.values.push_back(std::bit_cast<float>(std::uint32_t{load<std::uint16_t>(bytes, at)} << 16));
      break;
    case ElementType::i64:
      tensor.integers.push_back(load<std::int64_t>(bytes, at));
      break;
    case ElementType::i32:
      tensor.integers.push_back(load<std::int32_t>(bytes, at));
      break;
    case ElementType::i16:
      tensor.integers.push_back(load<std::int16_t>(bytes, at));
      break;
    case ElementType::i8:
      tensor.integers.push_back(load<std::int8_t>(bytes, at));
      break;
    case ElementType::u8:
      tensor.integers.push_back(load<std::uint8_t>(bytes, at));
      break;
    case ElementType::boolean:
      tensor.integers.push_back(load<std::uint8_t>(bytes, at) != 0);
      break;
  }
}

}  // namespace tool

// tools/io/element_type.hpp: the number formats that tensors are stored in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "model_file.hpp"

namespace tool {

enum class ElementType : std::uint8_t { f64, f32, f16, bf16, i64, i32, i16, i8, u8, boolean };

std::size_t size_of(ElementType type);
bool is_floating(ElementType type);

/// Appends element `index` of `bytes` to the tensor's values or integers. The caller has checked that it is there.
void append_element(Tensor& tensor, ElementType type, std::string_view bytes, std::size_t index);

}  // namespace tool

// The .npy reader on any bytes at all: an array that is as long as its shape says, or Refused. Nothing else.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "../../tools/io/npy.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    tool::NumberArray array = tool::parse_npy(std::as_bytes(std::span(data, size)), "fuzz");
    const std::size_t count = std::visit([](const auto& values) { return values.size(); }, array.values);
    // At most eight bytes from one; more would be memory for what the file only claims.
    if (tool::element_count(array.shape) != count || count == 0 || count > size) std::abort();
    tool::NumberArray copy = array;
    tool::converted<float>(std::move(copy), "fuzz", "a float");
    tool::converted<std::int64_t>(std::move(array), "fuzz", "a whole number");
  } catch (const tool::Refused&) {
  }
  return 0;
}

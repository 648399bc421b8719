// Any bytes as a safetensors model: a model or a refusal. Few changes survive the hash, which is compared after
// everything that could go wrong in the header.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "../../tools/io/refused.hpp"
#include "../../tools/io/safetensors.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    const tool::ModelFile model = tool::read_safetensors(bytes, "fuzz");
    if (tool::safetensors_bytes(model).empty()) __builtin_trap();
  } catch (const tool::Refused&) {
  }
  return 0;
}

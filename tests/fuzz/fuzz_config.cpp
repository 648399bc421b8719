// Any text as a configuration: one that is written again in the same letters, or a refusal.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "../../tools/io/model_config.hpp"
#include "../../tools/io/refused.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const ndt::ModelConfig config = tool::parse_config_text(text, "fuzz");
    if (tool::config_text(config) != text || !config.validate().ok()) __builtin_trap();
  } catch (const tool::Refused&) {
  }
  return 0;
}

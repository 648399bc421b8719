// Any bytes as a pickle: values or a refusal, never anything else.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "../../tools/io/pickle.hpp"
#include "../../tools/io/refused.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    const tool::pickle::Document document = tool::pickle::parse(bytes, "fuzz");
    if (document.length > size) __builtin_trap();
    for (const tool::pickle::Value& value : document.values) {
      for (const tool::pickle::Ref item : value.items) {
        if (item >= document.values.size()) __builtin_trap();
      }
      static_cast<void>(document.find(value, "MODEL"));
    }
  } catch (const tool::Refused&) {
  }
  return 0;
}

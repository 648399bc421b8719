// Any bytes as a checkpoint: a whole model or a refusal. Flipping bits of a zip archive mostly ends at a checksum, so
// the first byte of the input chooses: as it is, or as the data.pkl of an archive whose checksums are right.
#include <cstddef>
#include <cstdint>
#include <string>

#include "../../tools/io/model_file.hpp"
#include "../../tools/io/refused.hpp"
#include "../support/zip_writer.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::string bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  if (data[0] % 2 != 0) {
    // The last part of the input is the content of every storage.
    const std::size_t pickle = bytes.size() - bytes.size() / 4;
    support::Entries entries{{"archive/data.pkl", bytes.substr(0, pickle)}};
    for (int key = 0; key < 20; ++key)
      entries.emplace_back("archive/data/" + std::to_string(key), bytes.substr(pickle));
    // Stored or deflated as PyTorch writes it, or with 64-bit sizes in front of the contents or behind.
    const bool wide = data[0] % 8 > 3, second = data[0] % 4 == 3;
    bytes = wide ? support::zip64_bytes(entries, second) : support::zip_bytes(entries, second);
  }
  try {
    const tool::ModelFile model = tool::parse_model(bytes, "fuzz");
    if (tool::pack(model, "fuzz").empty()) __builtin_trap();
  } catch (const tool::Refused&) {
  }
  return 0;
}

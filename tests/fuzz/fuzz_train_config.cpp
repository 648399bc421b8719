// Any lines KEY=VALUE as a configuration of a training run: one that its own text gives back, or a refusal. Any text as
// JSON of one, likewise. The YAML parser is not in here: it runs in a process of its own, whatever it does.
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "../../tools/io/refused.hpp"
#include "../../tools/io/train_config.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    std::vector<tool::ConfigEntry> entries;
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t end = std::min(text.find('\n', begin), text.size());
      entries.push_back(tool::parse_override(text.substr(begin, end - begin)));
      begin = end + 1;
    }
    const tool::RunConfig run = tool::make_run_config(entries);
    const std::string written = tool::train_config_text(run.train);
    if (tool::train_config_text(tool::parse_train_config_text(written, "fuzz")) != written) __builtin_trap();
    const ndt::ModelConfig model = tool::complete(run, {29, 50, 8}, "fuzz");
    if (!model.validate().ok()) __builtin_trap();
  } catch (const tool::Refused&) {
  }
  try {
    const ndt::train::TrainConfig config = tool::parse_train_config_text(text, "fuzz");
    const std::string written = tool::train_config_text(config);
    if (tool::train_config_text(tool::parse_train_config_text(written, "fuzz")) != written) __builtin_trap();
  } catch (const tool::Refused&) {
  }
  return 0;
}

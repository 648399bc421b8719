// Recorded results of the reference implementation, which are not part of the project.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>

namespace support {

/// The folder that NDT_REFERENCE_DIR names. Without it the test that asks cannot be done, which is said in a line that
/// tools/test.sh counts.
inline std::optional<std::filesystem::path> recorded_results() {
  if (const char* const folder = std::getenv("NDT_REFERENCE_DIR")) return folder;
  std::puts("skipped: 1 test with recorded results of the reference (NDT_REFERENCE_DIR is not set)");
  return {};
}

}  // namespace support

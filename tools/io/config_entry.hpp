// tools/io/config_entry.hpp: one setting as somebody wrote it.
#pragma once

#include <string>

namespace tool {

struct ConfigEntry {
  std::string key;    ///< sections separated by dots, such as TRAIN.LR.INIT
  std::string text;   ///< the value, not yet understood
  std::string where;  ///< file and line, or command line, for messages
};

}  // namespace tool

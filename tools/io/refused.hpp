// tools/io/refused.hpp: the one way in which the tool says no.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>

namespace tool {

/// Bad usage or bad input. The tool prints it as one line, `ndt: error: WHAT, WHERE, WHAT WOULD BE RIGHT`, and exits 2.
class Refused : public std::runtime_error {
 public:
  Refused(const std::string& what, const std::string& where, const std::string& right)
      : std::runtime_error(what + ", " + where + ", " + right) {}
};

/// "1 trial", "2 trials": how messages and answers count.
inline std::string counted(std::size_t number, const std::string& noun) {
  return std::to_string(number) + " " + noun + (number == 1 ? "" : "s");
}

}  // namespace tool

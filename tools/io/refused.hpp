// tools/io/refused.hpp: the one way in which the tool says no.
#pragma once

#include <stdexcept>
#include <string>

namespace tool {

/// Bad usage or bad input. The tool prints it as one line, `ndt: error: WHAT, WHERE, WHAT WOULD BE RIGHT`, and exits 2.
class Refused : public std::runtime_error {
 public:
  Refused(const std::string& what, const std::string& where, const std::string& right)
      : std::runtime_error(what + ", " + where + ", " + right) {}
};

}  // namespace tool

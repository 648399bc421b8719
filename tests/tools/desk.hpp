// The tool at work in a folder of its own: NDT_TOOL is its path.
#pragma once

#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "../support/catch.hpp"
#include "files.hpp"

namespace support {

namespace fs = std::filesystem;

struct Ran {
  int status;
  std::string out, err;
};

/// A folder of its own, in which the tool runs.
struct Desk {
  support::TemporaryFolder folder;

  Ran ndt(const std::string& arguments) const {
    const std::string command =
        "cd '" + folder.path().string() + "' && '" + NDT_TOOL + "' " + arguments + " >out 2>err </dev/null";
    const int status = std::system(command.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, contents(folder.path() / "out"),
            contents(folder.path() / "err")};
  }
  fs::path operator/(const char* name) const { return folder.path() / name; }
};

/// One line, with the contract's beginning.
inline bool is_error_line(const std::string& err) {
  return err.rfind("ndt: error: ", 0) == 0 && err.find('\n') == err.size() - 1;
}

/// An input was refused: one line says so, and there is no answer.
inline void check_refused(const Ran& ran) {
  INFO(ran.err);
  CHECK(ran.status == 2);
  CHECK(is_error_line(ran.err));
  CHECK(ran.out.empty());
}

}  // namespace support

// The architecture, read from the #include lines: each room knows the rooms below it and nothing above.
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "../support/catch.hpp"

namespace {

namespace fs = std::filesystem;
const fs::path include_dir = fs::path(NDT_SOURCE_DIR) / "include";

using Rooms = std::set<std::string>;

/// a: {b, c}: a may include b and c and whatever they may include, and itself.
const std::map<std::string, Rooms> arrows = {
    {"config", {}},
    {"core", {"config"}},
    {"simd", {"core"}},
    {"kernels", {"simd"}},
    {"model/config", {"core"}},  // a plain description: sizes and switches
    {"layers", {"kernels", "model/config"}},
    {"model", {"layers"}},
    {"readout", {"model"}},
    {"stream", {"readout"}},
    {"ndt", {"stream"}},
    // The workshop: training and what goes with it. Delete these rooms and inference still builds.
    {"tensor", {"core"}},
    {"data", {"tensor"}},
    {"metrics", {"core"}},
    {"autograd", {"kernels", "tensor"}},
    {"train", {"readout", "autograd", "data", "metrics"}},  // and ndt/train.hpp
};

/// These may use the heap, exceptions and all of the standard library, but nothing else.
const Rooms workshop = {"tensor", "data", "metrics", "autograd", "train"};

/// What firmware has of the standard library. No heap, no streams, no exceptions, no threads.
const std::set<std::string> firmware_headers = {
    "algorithm", "arm_mve.h", "array", "bit",         "cassert",     "cmath",   "concepts",       "cstddef",
    "cstdint",   "limits",    "span",  "string_view", "type_traits", "utility", "xsimd/xsimd.hpp"};

/// What the workshop has of the system, and the one header that has it.
const std::map<std::string, std::string> system_headers = {{"sys/mman.h", "ndt/tensor/huge_pages.hpp"}};

/// "ndt/kernels/map.hpp" is in room "kernels". A header at the top is a room of its own.
std::string room_of(const std::string& header) {
  if (header == "ndt/model/config.hpp" || header == "ndt/model/shape.hpp") return "model/config";
  std::string path = header.substr(4, header.size() - 4 - 4);
  return path.substr(0, path.find('/'));
}

Rooms reachable(const std::string& room) {
  Rooms all = {room};
  for (const std::string& next : arrows.at(room)) all.merge(reachable(next));
  return all;
}

std::vector<std::string> all_headers() {
  std::vector<std::string> headers;
  for (const auto& entry : fs::recursive_directory_iterator(include_dir)) {
    if (entry.path().extension() == ".hpp") headers.push_back(fs::relative(entry.path(), include_dir).generic_string());
  }
  std::sort(headers.begin(), headers.end());
  return headers;
}

struct Include {
  std::string name;
  bool quoted;
};

std::vector<Include> includes_of(std::istream& text) {
  std::vector<Include> found;
  for (std::string line; std::getline(text, line);) {
    const std::size_t hash = line.find_first_not_of(" \t");
    if (hash == std::string::npos || line[hash] != '#') continue;
    const std::size_t word = line.find("include", hash);
    if (word == std::string::npos || line.find_first_not_of(" \t", hash + 1) != word) continue;
    const std::size_t open = line.find_first_of("<\"", word);
    const std::size_t close = line.find_first_of(">\"", open + 1);
    found.push_back({line.substr(open + 1, close - open - 1), line[open] == '"'});
  }
  return found;
}

/// What is wrong with a header of this name and text; empty if nothing.
std::string complaint(const std::string& header, std::istream& text) {
  const Rooms allowed = reachable(room_of(header));
  for (const Include& include : includes_of(text)) {
    if (include.name.rfind("ndt/", 0) == 0) {
      if (!include.quoted) return header + " includes <" + include.name + ">: use quotes";
      if (!allowed.count(room_of(include.name))) return header + " reaches up to " + include.name;
    } else if (system_headers.count(include.name) && system_headers.at(include.name) == header) {
      continue;
    } else if (workshop.count(room_of(header))) {
      if (include.quoted || include.name.find_first_of("/.") != std::string::npos) {
        return header + " includes " + include.name + ", which is neither ours nor the standard library's";
      }
    } else if (!firmware_headers.count(include.name)) {
      return header + " includes <" + include.name + ">, which firmware does not have";
    }
  }
  return "";
}

std::string complaint(const std::string& header, const std::string& text) {
  std::istringstream stream(text);
  return complaint(header, stream);
}

}  // namespace

TEST_CASE("no header reaches against the arrows or beyond firmware's library", "[house]") {
  const auto headers = all_headers();
  REQUIRE(headers.size() > 25);
  for (const std::string& header : headers) {
    std::ifstream file(include_dir / header);
    CHECK(complaint(header, file) == "");
  }
}

TEST_CASE("the reader of #include lines finds what it looks for", "[house]") {
  CHECK(complaint("ndt/kernels/map.hpp", std::string("#include \"ndt/simd.hpp\"\n")) == "");
  CHECK(complaint("ndt/kernels/map.hpp", std::string("#include \"ndt/layers/norm.hpp\"\n")) != "");
  CHECK(complaint("ndt/kernels/map.hpp", std::string("  #  include \"ndt/model/weights.hpp\"\n")) != "");
  CHECK(complaint("ndt/core/dim.hpp", std::string("#include \"ndt/simd.hpp\"\n")) != "");
  CHECK(complaint("ndt/core/dim.hpp", std::string("#include <vector>\n")) != "");
  CHECK(complaint("ndt/core/dim.hpp", std::string("#include <ndt/config.hpp>\n")) != "");
  CHECK(complaint("ndt/train/trainer.hpp", std::string("#include <vector>\n#include \"ndt/model/config.hpp\"\n")) ==
        "");
  CHECK(complaint("ndt/train/trainer.hpp", std::string("#include <Eigen/Core>\n")) != "");
  CHECK(complaint("ndt/tensor/huge_pages.hpp", std::string("#include <sys/mman.h>\n")) == "");
  CHECK(complaint("ndt/tensor/buffer.hpp", std::string("#include <sys/mman.h>\n")) != "");
  CHECK(complaint("ndt/core/arena.hpp", std::string("#include <sys/mman.h>\n")) != "");
  CHECK(complaint("ndt/metrics/r2.hpp", std::string("#include \"ndt/simd.hpp\"\n")) != "");
  CHECK(complaint("ndt/ndt.hpp", std::string("#include \"ndt/train/trainer.hpp\"\n")) != "");
}

TEST_CASE("every header is compiled alone by the build", "[house]") {
  std::set<std::string> built;
  std::istringstream list(NDT_HEADERS_ALONE);
  for (std::string header; std::getline(list, header, ';');) built.insert(header);
  for (const std::string& header : all_headers()) {
    INFO(header);
    CHECK(built.count(header) == 1);
  }
}
